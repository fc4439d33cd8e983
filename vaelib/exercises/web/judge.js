// Judge an answer: which of those that the author foresaw it is, and how far a number is off.

// Return a number that a reader wrote, such as 1e-3, −0.5, 0,5 or 10,000, or null.
function readNumber(text) {
  const plain = text.trim().replace(/[−–]/g, "-").replace(/\s/g, "");
  const written = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain) ? plain.replaceAll(",", "") : plain.replace(",", ".");
  return written !== "" && Number.isFinite(Number(written)) ? Number(written) : null;
}

// Return the first foreseen answer that fits, or null: its feedback, and whether it is right.
function judge(question, said) {
  const fits = {
    numeric: ({ type, range }) => type === "default" || (range[0] <= readNumber(said) && readNumber(said) <= range[1]),
    multiple_choice: ({ answer }) => answer === said,
  };
  return question.answers.find(fits[question.type]) ?? null;
}

// Say in words how far a number is from what came out.
function distance(said, value) {
  const off = Math.abs(said / value - 1);
  if (said === value) return "exactly that";
  if (off < 0.02) return "within 2\u00a0% of it";
  const side = said > value ? "too high" : "too low", ratio = said > value ? said / value : value / said;
  if (said <= 0 || ratio >= 2) return said <= 0 ? side : `${side} by a factor of ${ratio.toPrecision(2)}`;
  return `${side} by ${Math.round(100 * off)}\u00a0%`;
}
