// The process behind the page, where there is one: draws at any temperature, number and seed, and ways between any two objects.

const newLive = (store) => {
	const {state, page} = store;
	const asked = {temperature: 1, number: page.draws.drawn, seed: 1};
	const said = make("span", {class: "note", "data-show": "live", role: "status"});
	const fields = make("span", {class: "tools", hidden: true},
		number("temperature", "live-temperature", asked.temperature, (v) => { asked.temperature = v; again(); }, {min: 0.01, max: 100, step: "any"}),
		number("drawn", "live-number", asked.number, (v) => { asked.number = v; again(); }, {min: 1, max: page.maxDraws, step: 1}),
		number("seed", "live-seed", asked.seed, (v) => { asked.seed = v; again(); }, {min: 0, step: 1}));
	const box = make("input", {type: "checkbox", "data-set": "live", oninput: () => {
		fields.hidden = !box.checked;
		if (box.checked) again();
		else store.change("draw", {fresh: null, drawn: page.draws.drawn});
	}});
	const end = button("give the selection to the cell and end", "end", async () => {
		if (await tell("end")) off("The cell has gone on; the page keeps what it holds.");
	});
	const element = make("span", {class: "live", hidden: true}, make("label", {}, box, "fresh draws"), fields, end, said);
	const live = {element, connected: false, again, path, tell};
	let turn = 0, sending = null;

	// ask returns the process's answer; where it has none, it says why.
	async function ask(what, options) {
		let answer;
		try {
			answer = await fetch(page.live + what, options);
		} catch {
			off("The cell's process does not answer any more: run the cell again for fresh draws.");
			return null;
		}
		if (answer.ok) return answer.json();
		said.textContent = await answer.text();
		return null;
	}
	function off(why) {
		live.connected = false;
		fields.hidden = end.hidden = box.disabled = true;
		said.textContent = why;
		store.change("live");
	}
	// again draws anew; of several wishes that come meanwhile the last is granted.
	async function again() {
		if (!box.checked || !live.connected) return;
		const mine = ++turn;
		if (sending) return;
		sending = true;
		const begin = performance.now(), {temperature, number, seed} = asked;
		const waiting = setTimeout(() => { said.textContent = "computing; the first draw of another number compiles ..."; }, 400);
		const points = await ask(`draw?${new URLSearchParams({method: store.method().name, n: number, temperature, seed})}`);
		clearTimeout(waiting);
		sending = null;
		if (turn !== mine) return again();
		if (!points) return;
		const took = performance.now() - begin;
		store.change("draw", {fresh: {points: readPoints(points), temperature, seed}, drawn: points.number});
		await store.busy;
		said.textContent = `${points.number} drawn in ${took.toFixed(0)} ms`;
		said.dataset.took = took.toFixed(0);
		said.dataset.draw = [store.method().name, points.number, temperature, seed].join();
	}
	async function path(from, to) {
		const answer = await ask(`path?${new URLSearchParams({from, to})}`);
		return answer && {ends: answer.ends, steps: answer.steps, points: readPoints(answer.points), straight: floats(answer.straight)};
	}
	// The body is plain text: the browser then asks no permission first.
	async function tell(what) { return ask(what, {method: "POST", body: JSON.stringify(selectionOf(store, store.pickedIds()))}); }

	let telling = null;
	store.views.push((whats) => {
		if (!live.connected || !any(whats, "picked", "draw")) return;
		clearTimeout(telling);
		telling = setTimeout(() => { if (live.connected) tell("selection"); }, 150);
	});
	if (page.live) fetch(`${page.live}hello`).then((answer) => {
		if (!answer.ok) return;
		live.connected = true;
		element.hidden = false;
		store.change("live");
	}, () => {}); // the cell has ended: the page has all that it needs
	return live;
};
