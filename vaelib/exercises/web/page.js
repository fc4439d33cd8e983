// Serve a page of the book: what is asked stands in the page, as data beside the text that is read without a script.

document.querySelectorAll("[data-exercise]").forEach(host => {
  const data = JSON.parse(host.querySelector("script").textContent);
  showExercise(host, data, new AbortController().signal);
});
