import { learnsWith } from "./learning";

learnsWith("nano-zerotir-grpo", "nano-torl", "nano-dapo", "nano-dr-grpo");
