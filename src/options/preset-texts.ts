/** The presets as they stand in presets/, by name. */
import dapo from "../../presets/dapo.yaml?raw";
import drGrpo from "../../presets/dr-grpo.yaml?raw";
import nano from "../../presets/nano.yaml?raw";
import nanoDapo from "../../presets/nano-dapo.yaml?raw";
import nanoDrGrpo from "../../presets/nano-dr-grpo.yaml?raw";
import nanoNotool from "../../presets/nano-notool.yaml?raw";
import nanoOrzPpo from "../../presets/nano-orz-ppo.yaml?raw";
import nanoSimplerl from "../../presets/nano-simplerl.yaml?raw";
import nanoTorl from "../../presets/nano-torl.yaml?raw";
import nanoZerotirGrpo from "../../presets/nano-zerotir-grpo.yaml?raw";
import nanoZerotirPpo from "../../presets/nano-zerotir-ppo.yaml?raw";
import nanoZerotirRpp from "../../presets/nano-zerotir-rpp.yaml?raw";
import orzPpo from "../../presets/orz-ppo.yaml?raw";
import simplerl from "../../presets/simplerl.yaml?raw";
import torl from "../../presets/torl.yaml?raw";
import zerotirGrpo from "../../presets/zerotir-grpo.yaml?raw";
import zerotirPpo from "../../presets/zerotir-ppo.yaml?raw";
import zerotirRpp from "../../presets/zerotir-rpp.yaml?raw";

export const presetTexts = {
  nano: nano,
  "nano-notool": nanoNotool,
  "nano-zerotir-rpp": nanoZerotirRpp,
  "nano-zerotir-ppo": nanoZerotirPpo,
  "nano-zerotir-grpo": nanoZerotirGrpo,
  "nano-orz-ppo": nanoOrzPpo,
  "nano-torl": nanoTorl,
  "nano-simplerl": nanoSimplerl,
  "nano-dapo": nanoDapo,
  "nano-dr-grpo": nanoDrGrpo,
  "zerotir-rpp": zerotirRpp,
  "zerotir-ppo": zerotirPpo,
  "zerotir-grpo": zerotirGrpo,
  "orz-ppo": orzPpo,
  torl: torl,
  simplerl: simplerl,
  dapo: dapo,
  "dr-grpo": drGrpo,
};

export type PresetName = keyof typeof presetTexts;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presetTexts, name);
}

/** Names that `--preset` takes. */
export const presetNames = Object.keys(presetTexts).filter(isPresetName);
