"""Uploads the run beside this file to Weights & Biases.

    python3 upload.py [--project NAME] [--entity NAME] [--name NAME]

Needs the wandb package and a login (`wandb login`, or WANDB_API_KEY). Without a network: WANDB_MODE=offline, and `wandb sync` later.
Run again after a new export, it adds the steps that are not there yet.

run.json: name, id and state; config.json: the options; metrics.jsonl: a row of figures per step; rollouts.jsonl: rollouts of the last step.
"""
import argparse
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read_json(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def read_lines(name):
    with open(HERE / name, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description="Uploads the run beside this file to Weights & Biases.")
    parser.add_argument("--project", default="zerotir")
    parser.add_argument("--entity", help="user or team; default: that of the login")
    parser.add_argument("--name", help="name of the run; default: that of its folder")
    options = parser.parse_args()
    try:
        import wandb
    except ImportError:
        raise SystemExit("the package wandb is missing; install it with: python3 -m pip install wandb")

    record, rows, rollouts = read_json("run.json"), read_lines("metrics.jsonl"), read_lines("rollouts.jsonl")
    run = wandb.init(
        project=options.project,
        entity=options.entity,
        name=options.name or record["name"],
        id=record["id"],
        resume="allow",
        config=read_json("config.json"),
    )
    # After an earlier upload the first step that W&B still takes.
    first = getattr(run, "starting_step", 0) or 0
    new = [row for row in rows if row["step"] >= first]
    for row in new:
        figures = {name: value for name, value in row.items() if name != "step"}
        if row is rows[-1] and rollouts:
            columns = list(rollouts[0])
            figures["rollouts"] = wandb.Table(columns=columns, data=[[line[name] for name in columns] for line in rollouts])
        run.log(figures, step=row["step"])
    run.finish(exit_code=1 if record["state"] == "failed" else 0)
    print(f"{len(new)} steps uploaded, {len(rows) - len(new)} were there already")


if __name__ == "__main__":
    main()
