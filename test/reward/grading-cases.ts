/**
 * Pairs of prediction and gold answer, with the verdict of the `math` profile and of the published normalisers
 * (hendrycks, dapo, qwen) that compare text; null where the published grader asks a computer algebra system.
 */
export interface GradingCase {
  readonly prediction: string;
  readonly gold: string;
  readonly math: boolean;
  readonly hendrycks: boolean;
  readonly dapo: boolean;
  readonly qwen: boolean | null;
}

type Row = readonly [prediction: string, gold: string, math: 0 | 1, hendrycks: 0 | 1, dapo: 0 | 1, qwen: 0 | 1 | null];

const ROWS: readonly Row[] = [
  ["42", "42", 1, 1, 1, 1],
  ["042", "42", 1, 0, 0, 1],
  ["42.0", "42", 1, 0, 0, 1],
  ["42.", "42", 1, 0, 0, 1],
  ["1,234", "1234", 1, 0, 1, 1],
  ["1{,}234", "1234", 1, 0, 1, null],
  ["12,34", "1234", 0, 0, 1, 1], // a list is no number
  ["1\\,000\\,000", "1000000", 1, 0, 0, null],
  [".5", "0.5", 1, 1, 0, 1],
  ["0.5", "\\frac{1}{2}", 1, 1, 0, null],
  ["1/2", "\\frac{1}{2}", 1, 1, 0, 1],
  ["\\frac12", "\\frac{1}{2}", 1, 1, 1, 1],
  ["\\dfrac{1}{2}", "\\tfrac12", 1, 1, 0, 1],
  ["\\frac{2}{4}", "\\frac{1}{2}", 1, 0, 0, null],
  ["-\\frac{1}{2}", "\\frac{-1}{2}", 1, 0, 0, null],
  ["0.333", "\\frac{1}{3}", 0, 0, 0, null], // three places are too few
  ["0.333333", "\\frac{1}{3}", 1, 0, 0, null],
  ["3.14", "\\pi", 0, 0, 0, null], // a constant is not its approximation
  ["\\sqrt2", "\\sqrt{2}", 1, 1, 1, 1],
  ["\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt{2}}{2}", 1, 0, 0, null],
  ["2\\sqrt{3}", "\\sqrt{12}", 1, 0, 0, null],
  ["2^{10}", "1024", 1, 0, 0, null],
  ["10^{-3}", "0.001", 1, 0, 0, null],
  ["1.2\\times10^{3}", "1200", 1, 0, 0, null],
  ["3\\cdot 4", "12", 1, 0, 0, null],
  ["5!", "120", 1, 0, 0, null],
  ["x+1", "1+x", 1, 0, 0, null],
  ["(x+1)^2", "x^2+2x+1", 1, 0, 0, null],
  ["x=5", "5", 1, 1, 1, 1],
  ["5", "x=5", 1, 1, 1, 1],
  ["x=5", "y=5", 0, 1, 1, 1], // names differ
  ["y=2x+3", "2x+3", 1, 1, 1, 1],
  ["2x-y+3=0", "y=2x+3", 1, 0, 0, null],
  ["50\\%", "50", 1, 1, 0, 1],
  ["50\\%", "0.5", 1, 0, 0, 1],
  ["0.5", "50", 0, 0, 0, 1], // no percent sign, no percentage
  ["90^\\circ", "90", 1, 1, 1, 1],
  ["90^{\\circ}", "90", 1, 1, 1, 1],
  ["\\$18.90", "18.90", 1, 1, 1, 1],
  ["18.9", "18.90", 1, 0, 0, 1],
  ["10\\text{ cm}", "10", 1, 1, 1, 1],
  ["10 \\mathrm{~cm}", "10", 1, 0, 0, null],
  ["10\\text{ cm}", "10\\text{ m}", 0, 1, 1, 1], // units differ
  ["(1,2)", "(2,1)", 0, 0, 0, null], // a point has an order
  ["1,2", "2,1", 1, 0, 0, null], // a list has none
  ["\\{1,2\\}", "\\{2,1\\}", 1, 0, 0, null],
  ["(1,2)", "[1,2]", 0, 0, 0, 1],
  ["(1,2]", "[1,2)", 0, 0, 0, 1],
  ["(-\\infty,2)\\cup(3,\\infty)", "(3,\\infty)\\cup(-\\infty,2)", 1, 0, 0, null],
  ["x\\in(1,2)", "(1,2)", 1, 0, 0, 1],
  ["1<x<2", "(1,2)", 0, 0, 0, null], // a condition does not answer for a set
  ["(1,2)", "1<x<2", 1, 0, 0, null],
  ["\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}", 1, 0, 0, 1],
  ["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}2\\\\1\\end{pmatrix}", 0, 0, 0, null],
  ["\\text{(B)}", "B", 1, 0, 0, 1],
  ["b", "B", 1, 0, 0, 1], // a choice letter in either case
  ["\\text{Friday}", "friday", 1, 0, 0, 1],
  ["\\text{no solution}", "\\emptyset", 0, 0, 0, null], // no list of synonyms
  ["3+2i", "2i+3", 1, 0, 0, null],
  ["e^{i\\pi}", "-1", 1, 0, 0, null],
  ["\\left(\\frac{1}{2},3\\right)", "(0.5,3)", 1, 0, 0, null],
  ["4\\pi", "12.566", 0, 0, 0, null], // three places are too few
  ["5 \\pm \\sqrt{2}", "5+\\sqrt{2},5-\\sqrt{2}", 1, 0, 0, null],
  ["2\\frac{1}{2}", "\\frac{5}{2}", 1, 0, 0, null],
  ["21", "\\frac{2}{1}", 0, 0, 0, null], // digits do not join across a fraction
  ["10_{2}", "2", 0, 0, 0, null], // no conversion of bases
  ["1010_2", "1010_{2}", 1, 0, 0, 1],
  ["\\infty", "+\\infty", 1, 0, 0, null],
  ["-0", "0", 1, 0, 0, 1],
  ["\\boxed{7}", "7", 1, 0, 1, null],
];

export const gradingCases: readonly GradingCase[] = ROWS.map(([prediction, gold, math, hendrycks, dapo, qwen]) => ({
  prediction,
  gold,
  math: math === 1,
  hendrycks: hendrycks === 1,
  dapo: dapo === 1,
  qwen: qwen === null ? null : qwen === 1,
}));
