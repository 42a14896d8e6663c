import { learnsWith } from "./learning";

learnsWith("nano-zerotir-ppo", "nano-orz-ppo", "nano-simplerl");
