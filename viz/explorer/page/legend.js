// The legend: every series with a switch, the number of its points, how many of them are selected, and means.

const legendView = (store) => {
	const {state, page} = store;
	const place = make("div", {"data-show": "groups"}), summary = make("p", {class: "say", "data-show": "summary", "aria-live": "polite"});
	const rows = new Map();

	function row(s) {
		if (!rows.has(s.key)) {
			const box = make("input", {type: "checkbox", "data-switch": s.key, oninput: () => {
				const hidden = new Set(state.hidden);
				box.checked ? hidden.delete(s.key) : hidden.add(s.key);
				store.change("hidden", {hidden});
			}});
			const label = make("label"), cells = range(0, 4).map(() => make("td"));
			const number = make("button", {type: "button", class: "link", "data-pick": s.key, onclick: () => store.pick(rows.get(s.key).ids)});
			cells[0].append(number);
			rows.set(s.key, {box, label, cells, number, element: make("tr", {"data-series": s.key}, make("td", {}, label), ...cells)});
		}
		const r = rows.get(s.key);
		r.ids = s.ids;
		r.box.checked = !state.hidden.has(s.key);
		r.label.replaceChildren(r.box, swatch(s), s.name);
		const average = (c) => {
			const values = s.ids.filter((id) => store.has(c, id)).map((id) => store.value(c, id));
			return values.length ? mean(values) : NaN;
		};
		r.number.textContent = s.ids.length;
		r.number.title = r.number.ariaLabel = `select all ${s.ids.length} of ${s.name}`;
		r.cells[1].textContent = s.ids.filter((id) => state.picked.has(id)).length;
		r.cells[2].textContent = fixed(average(store.energy));
		r.cells[3].textContent = fixed(average(store.nll), 1);
		return r.element;
	}

	const head = ["series", "n", "selected", "mean energy", "mean NLL"];
	place.append(table(head, []));
	store.views.push((whats) => {
		if (!any(whats, "draw", "hidden", "picked")) return;
		const body = place.querySelector("table"), order = [...store.series.slice(1), store.series[0]];
		const wanted = order.map(row);
		if (body.rows.length !== wanted.length + 1) body.append(...wanted);
		if (!any(whats, "draw")) return;
		const {kept} = store.draw, m = store.method();
		const known = store.series.filter((s) => s.kind === "known").flatMap((s) => s.ids);
		const average = (ids) => fixed(mean(ids.map((id) => store.value(store.energy, id))));
		const least = store.value(store.nll, kept.at(-1)), below = known.filter((id) => store.value(store.nll, id) < least).length;
		summary.textContent = `${kept.length} of ${state.drawn} drawn are kept as outliers: mean energy ${average(kept)}, of known objects ${average(known)} nats.` +
			(m.density ? ` Their NLL under ${m.density} is ${fixed(least, 1)} nats or more` +
				(store.compares(store.nll) ? `, which ${percent(below / known.length, 0)} of the known objects do not reach.` : ".") : "");
	});
	return {place, summary};
};
