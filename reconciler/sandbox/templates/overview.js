const live = (page) => page.querySelectorAll("[data-live], time");
const refresh = async () => {
  try {
    const answer = await fetch(`/_sandbox/page${location.search}`, { headers: { Accept: "text/html" } });
    const fresh = [...live(new DOMParser().parseFromString(await answer.text(), "text/html"))];
    const shown = [...live(document)];
    if (answer.ok) shown.forEach((part, at) => {
      const held = part.contains(document.activeElement);
      if (!held && part.innerHTML !== fresh[at].innerHTML) part.replaceChildren(...fresh[at].childNodes);
    });
  } catch { /* the server is away for a moment, or for good */ }
  setTimeout(refresh, 1000);
};
setTimeout(refresh, 1000);
