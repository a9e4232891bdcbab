/*
 * Keeps one part of a page as it stands on the server, without a flicker: what has not changed is left as it is, and with
 * it focus, scroll, selection and what is open. It asks only while somebody can see the page, and stops with words when the
 * session has ended. The part is marked with data-live, the seconds between two questions.
 */
"use strict";

(() => {
    const part = document.querySelector("[data-live]");
    if (!part) {
        return;
    }
    const asOf = document.querySelector("[data-live-as-of]");
    const said = document.querySelector("[data-live-said]");
    const every = Number(part.dataset.live) * 1000;
    const address = part.dataset.liveAddress || location.href;
    const LONGEST_WAIT = 60000;
    const PATIENCE = 30000;

    let etag = "";
    let timer = 0;
    let failures = 0;
    let isAsking = false;
    let isOver = false;
    let asked = Date.now();

    function say(words) {
        if (said.textContent !== words) {
            said.textContent = words;
        }
    }

    function askAfter(wait) {
        clearTimeout(timer);
        if (!isOver && !document.hidden) {
            timer = setTimeout(ask, wait);
        }
    }

    function end(words) {
        isOver = true;
        say(words);
    }

    async function ask() {
        if (isAsking || isOver || document.hidden) {
            return;
        }
        isAsking = true;
        asked = Date.now();
        try {
            take(...(await fetchPart()));
        } catch {
            failures += 1;
            say(part.dataset.liveAway);
        }
        isAsking = false;
        askAfter(Math.min(every * 2 ** Math.min(failures, 10), Math.max(every, LONGEST_WAIT)));
    }

    async function fetchPart() {
        const headers = {"X-Live-Part": "1"};
        if (etag) {
            headers["If-None-Match"] = etag;
        }
        const answer = await fetch(address, {
            headers,
            cache: "no-store",
            credentials: "same-origin",
            redirect: "manual",
            signal: AbortSignal.timeout(PATIENCE),
        });
        return [answer, answer.status === 200 ? await answer.text() : ""];
    }

    function take(answer, text) {
        if (answer.type === "opaqueredirect") {
            end(part.dataset.liveEnded);  // to the login
        } else if (answer.status === 403 || answer.status === 404) {
            end(part.dataset.liveGone);
        } else if (answer.status !== 200 && answer.status !== 304) {
            throw new Error(`answered ${answer.status}`);
        } else if (answer.status === 304 || show(text)) {
            etag = answer.headers.get("ETag") || "";
            asOf.textContent = answer.headers.get("X-As-Of") || asOf.textContent;
            failures = 0;
            isOver = answer.headers.has("X-Live-Final");
            say("");
        }
    }

    /* Nothing moves under an open dialog: then it is shown the next time. */
    function show(text) {
        if (part.querySelector("dialog[open]")) {
            return false;
        }
        const fresh = document.createElement("template");
        fresh.innerHTML = text;
        const focused = document.activeElement;
        makeChildrenLike(part, fresh.content);
        if (focused !== document.activeElement && part.contains(focused)) {
            focused.focus({preventScroll: true});  // it was moved
        }
        return true;
    }

    /* What a node is known by, wherever it moves: its name, or where the first link of a row leads. */
    function keyOf(node) {
        if (node.nodeType !== Node.ELEMENT_NODE) {
            return "";
        }
        const link = node.matches("tbody, tr") ? node.querySelector("a[href]") : null;
        return node.id || node.dataset.key || (link ? link.getAttribute("href") : "");
    }

    function makeChildrenLike(old, fresh) {
        let place = old.firstChild;
        for (const wanted of [...fresh.childNodes]) {
            const found = findLike(place, wanted);
            if (!found) {
                old.insertBefore(wanted, place);
                continue;
            }
            if (found === place) {
                place = place.nextSibling;
            } else {
                old.insertBefore(found, place);
            }
            makeLike(found, wanted);
        }
        while (place) {
            const next = place.nextSibling;
            place.remove();
            place = next;
        }
    }

    function findLike(from, wanted) {
        const key = keyOf(wanted);
        for (let node = from; node; node = node.nextSibling) {
            if (node.nodeName === wanted.nodeName && keyOf(node) === key) {
                return node;
            }
        }
        return null;
    }

    function makeLike(old, wanted) {
        if (old.isEqualNode(wanted)) {
            return;
        }
        if (old.nodeType !== Node.ELEMENT_NODE) {
            old.nodeValue = wanted.nodeValue;
        } else if (old.nodeName === "CANVAS") {
            drawAnew(old, wanted);
        } else {
            makeAttributesLike(old, wanted);
            // SimpleBar puts what scrolls into a box of its own.
            makeChildrenLike(old.querySelector(":scope > .simplebar-wrapper .simplebar-content") || old, wanted);
        }
    }

    /* What the browser or a person has set stays: what is open, how it is scrolled. */
    function makeAttributesLike(old, wanted) {
        const own = new Set(["open", "style"]);
        for (const {name, value} of [...wanted.attributes]) {
            if (name === "class" && old.hasAttribute("data-simplebar")) {
                continue;
            }
            if (!own.has(name) && old.getAttribute(name) !== value) {
                old.setAttribute(name, value);
            }
        }
        for (const {name} of [...old.attributes]) {
            if (!own.has(name) && !wanted.hasAttribute(name) && !name.startsWith("data-simplebar")) {
                old.removeAttribute(name);
            }
        }
    }

    function drawAnew(canvas, wanted) {
        const chart = window.Chart && Chart.getChart(canvas);
        if (canvas.dataset.value === wanted.dataset.value || !chart) {
            return;
        }
        canvas.dataset.value = wanted.dataset.value;
        const data = JSON.parse(wanted.dataset.value);
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => (/^var\(/.test(name) ? style.getPropertyValue(name.slice(4, -1)).trim() : name);
        for (const set of data.datasets) {
            for (const which of ["backgroundColor", "borderColor"]) {
                if (set[which]) {
                    set[which] = Array.isArray(set[which]) ? set[which].map(colour) : colour(set[which]);
                }
            }
        }
        chart.data = data;
        chart.update();
    }

    document.addEventListener("visibilitychange", () => {
        askAfter(Math.max(0, every - (Date.now() - asked)));
    });
    askAfter(every);
})();
