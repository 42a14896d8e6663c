/**
 * The error function and its complement by fdlibm's method (rational approximations on five intervals), for the same
 * reason as in sun.ts, where fdlibm's notice is.
 */
import { highWord, withoutLowWord } from "./bits";
import { exp } from "./exponential";
import { inPairs } from "./sun";

/** erf(1), rounded to 24 bits. */
const ERF_1 = 0.8450629115104675;
const TWO_OVER_ROOT_PI_LESS_1 = 0.1283791670955126;

const NEAR_0 = {
  over: [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-5],
  under: [
    1, 0.39791722395915535, 0.0650222499887673, 0.005081306281875766, 0.00013249473800432164, -3.960228278775368e-6,
  ],
};
const NEAR_1 = {
  over: [
    -0.0023621185607526594, 0.41485611868374833, -0.3722078760357013, 0.31834661990116175, -0.11089469428239668,
    0.035478304325618236, -0.002166375594868791,
  ],
  under: [
    1, 0.10642088040084423, 0.540397917702171, 0.07182865441419627, 0.12617121980876164, 0.01363708391202905,
    0.011984499846799107,
  ],
};
const MIDDLE = {
  over: [
    -0.009864944034847148, -0.6938585727071818, -10.558626225323291, -62.375332450326006, -162.39666946257347,
    -184.60509290671104, -81.2874355063066, -9.814329344169145,
  ],
  under: [
    1, 19.651271667439257, 137.65775414351904, 434.56587747522923, 645.3872717332679, 429.00814002756783,
    108.63500554177944, 6.570249770319282, -0.0604244152148581,
  ],
};
const FAR = {
  over: [
    -0.0098649429247001, -0.799283237680523, -17.757954917754752, -160.63638485582192, -637.5664433683896,
    -1025.0951316110772, -483.5191916086514,
  ],
  under: [
    1, 30.33806074348246, 325.7925129965739, 1536.729586084437, 3199.8582195085955, 2553.0504064331644,
    474.52854120695537, -22.44095244658582,
  ],
};

const ratio = (z: number, { over, under }: typeof FAR): number => inPairs(z, over) / inPairs(z, under);

/** erfc(size) for size from 1.25 on. `limit`: upper half of the number from which the far interval begins. */
function tail(size: number, limit: number): number {
  const quotient = ratio(1 / (size * size), highWord(size) < limit ? MIDDLE : FAR);
  const short = withoutLowWord(size);
  return (exp(-short * short - 0.5625) * exp((short - size) * (short + size) + quotient)) / size;
}

export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size < 0.84375) {
    if (size < 2 ** -1000) return 0.0625 * (16 * x + 16 * TWO_OVER_ROOT_PI_LESS_1 * x);
    if (size < 2 ** -28) return x + TWO_OVER_ROOT_PI_LESS_1 * x;
    return x + x * ratio(x * x, NEAR_0);
  }
  let value = 1;
  if (size < 1.25) value = ERF_1 + ratio(size - 1, NEAR_1);
  else if (size < 6) value = 1 - tail(size, 0x4006db6e);
  return x < 0 ? -value : value;
}

export function erfc(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size < 0.84375) {
    if (size < 2 ** -56) return 1 - x;
    const y = ratio(x * x, NEAR_0);
    return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x * y + (x - 0.5));
  }
  if (size < 1.25) {
    const quotient = ratio(size - 1, NEAR_1);
    return x > 0 ? 1 - ERF_1 - quotient : 1 + (ERF_1 + quotient);
  }
  if (x < -6) return 2;
  if (size >= 28) return 0;
  return x > 0 ? tail(size, 0x4006db6d) : 2 - tail(size, 0x4006db6d);
}
