/**
 * Reward of the digit-completion task (a prompt `a,b:max,N` asks for the next N terms of an arithmetic sequence modulo
 * max): the share of places at which the completion has the wanted character, over the longer of the two texts. The
 * wanted text ends with E, the model's end token.
 */
export default function digitCompletion({ completions, answer }) {
  return completions.map((completion, index) => {
    const wanted = `${answer[index]}E`;
    const right = [...wanted].filter((character, place) => completion[place] === character).length;
    return right / Math.max(wanted.length, completion.length);
  });
}
