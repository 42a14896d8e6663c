/** The presets as they stand in presets/, by name. */
import drGrpo from "../../presets/dr-grpo.yaml?raw";
import nano from "../../presets/nano.yaml?raw";
import nanoDrGrpo from "../../presets/nano-dr-grpo.yaml?raw";
import nanoNotool from "../../presets/nano-notool.yaml?raw";
import nanoOrz from "../../presets/nano-orz.yaml?raw";
import nanoRpp from "../../presets/nano-rpp.yaml?raw";
import nanoTorl from "../../presets/nano-torl.yaml?raw";
import nanoZerotirGrpo from "../../presets/nano-zerotir-grpo.yaml?raw";
import orz from "../../presets/orz.yaml?raw";
import torl from "../../presets/torl.yaml?raw";
import zerotirGrpo from "../../presets/zerotir-grpo.yaml?raw";
import zerotirRpp from "../../presets/zerotir-rpp.yaml?raw";

export const presetTexts = {
  nano: nano,
  "nano-notool": nanoNotool,
  "nano-rpp": nanoRpp,
  "nano-zerotir-grpo": nanoZerotirGrpo,
  "nano-orz": nanoOrz,
  "nano-torl": nanoTorl,
  "nano-dr-grpo": nanoDrGrpo,
  "zerotir-rpp": zerotirRpp,
  "zerotir-grpo": zerotirGrpo,
  orz: orz,
  torl: torl,
  "dr-grpo": drGrpo,
};

export type PresetName = keyof typeof presetTexts;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presetTexts, name);
}

/** Names that `--preset` takes. */
export const presetNames = Object.keys(presetTexts).filter(isPresetName);
