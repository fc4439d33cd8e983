"""Do odd things to a live picture ten thousand times, and see what is left of them in the browser's memory."""

from pictures import opened

# Bring a picture into one state, to compare like with like: one digit on the pad, and its true posteriors computed; a
# training that pauses, and its network in an explorer and a pad.
SAME_STATE = {
    "draw": """async () => {
      document.querySelector("[aria-label='test digit 5']").click();
      const read = () => document.querySelector("[data-live=draw]").live.read();
      while (!read()?.beliefs.every(belief => belief.exact)) await new Promise(done => setTimeout(done, 50));
    }""",
    "train": """async () => {
      const host = document.querySelector("[data-live=train]"), { live } = host;
      const until = async test => { while (!test()) await new Promise(done => setTimeout(done, 50)); };
      const press = text => [...host.querySelectorAll("button")].find(node => node.textContent.includes(text)).click();
      await until(() => live.read().phase !== "loading");
      if (live.read().step === 0) press("One step");
      else if (live.read().phase === "running") press("Pause");
      await until(() => live.read().step > 0 && ["paused", "finished"].includes(live.read().phase));
      host.querySelectorAll("[data-own]").forEach(node => node.remove());
      press("Explore and draw");
      await until(() => host.querySelectorAll("[data-own][data-state=ready]").length === 2);
    }""",
}


# Do odd things to everything that can be touched.
RANDOM_EVENTS = """async ([seed, count]) => {
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const targets = [...document.querySelectorAll("canvas, button, input[type=range], select, input[type=radio]")];
  const types = ["pointerdown", "pointermove", "pointermove", "pointerup", "pointercancel", "click", "keydown"];
  const keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", " ", "Home", "+", "-"];
  for (let i = 0; i < count; i++) {
    const target = targets[Math.floor(random() * targets.length)], box = target.getBoundingClientRect();
    const place = { clientX: box.left + random() * box.width, clientY: box.top + random() * box.height };
    const type = types[Math.floor(random() * types.length)], key = keys[Math.floor(random() * keys.length)];
    const pointer = { ...place, bubbles: true, buttons: 1, pointerId: 1, pointerType: i % 3 ? "mouse" : "touch" };
    const Kind = type === "keydown" ? KeyboardEvent : PointerEvent;
    target.dispatchEvent(new Kind(type, type === "keydown" ? { key, bubbles: true } : pointer));
    // Events that a page makes do not move a slider.
    if (target.type === "range" && !target.disabled) {
      target.value = Number(target.min) + random() * (target.max - target.min);
      target.dispatchEvent(new Event("input"));
    }
    if (i % 50 === 0) await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
}"""


def assert_stands_random_events(browser, address, kind):
    """Assert that ten thousand events on a picture leave no error, and no growth after the first thousand."""
    with opened(browser, f"{address}{kind}.html") as seen:
        session = seen.page.context.new_cdp_session(seen.page)
        session.send("Performance.enable")

        def used():
            if kind in SAME_STATE:
                seen.page.evaluate(SAME_STATE[kind])
            return tuple(map(min, zip(*[collected() for _ in range(4)], strict=True)))

        def collected():
            # Collect more than once: what is being computed or compiled meanwhile is no leak.
            seen.page.wait_for_timeout(200)
            session.send("HeapProfiler.collectGarbage")
            found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
            return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]

        seen.page.evaluate(RANDOM_EVENTS, [1, 1000])
        before = used()
        seen.page.evaluate(RANDOM_EVENTS, [2, 9000])
        after = used()
        print(f"{kind}: bytes, nodes and listeners {before}, then {after}")
        assert after[0] - before[0] < 500_000
        assert after[1] - before[1] < 100
        assert after[2] - before[2] < 10
        assert seen.errors == []
