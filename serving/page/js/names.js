// Names: of regions, in lines that a tile has room for.

const MOST_LINES = 3;
const VOWELS = /[aeiouyаәеёиіоөуұүыэюя]/i;

// A name in at most three lines of about so many letters, broken between its words, or within a long word before a syllable.
export function folded(name, letters) {
  const lines = laid(name, letters);
  return lines.length > MOST_LINES ? folded(name, letters + 1) : lines;
}

function laid(name, letters) {
  const parts = name.split(/(?<=-)|\s/).flatMap((word) => broken(word, letters));
  const lines = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const joint = last?.endsWith("-") ? "" : " ";
    if (last && (last + joint + part).length <= letters) lines[lines.length - 1] = last + joint + part;
    else lines.push(part);
  }
  return lines;
}

function broken(word, letters) {
  if (word.length <= letters) return [word];
  const at = syllables(word).sort((a, b) => Math.abs(a - word.length / 2) - Math.abs(b - word.length / 2))[0];
  return at ? [`${word.slice(0, at)}-`, word.slice(at)] : [word];
}

// Where a consonant with a vowel behind it begins a syllable, three letters or more from either end; st stays together.
function syllables(word) {
  const begins = (place) => !VOWELS.test(word[place]) && !/[-ьъй]/i.test(word[place]) && VOWELS.test(word[place + 1] ?? "");
  const places = [...word].map((_, place) => place).filter(begins).map((place) => (/[сs][тt]/i.test(word.slice(place - 1, place + 1)) ? place - 1 : place));
  return places.filter((place) => place > 2 && place < word.length - 2);
}
