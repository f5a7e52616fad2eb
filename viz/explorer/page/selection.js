// What is selected: crops, a list of points, and what can be taken away.

const sheetLimit = 150, textLimit = 500, listRows = 25;

const selectionView = (store, scatter) => {
	const {state, page, count, columns} = store;
	const title = make("h4", {"data-show": "selection", "aria-live": "polite"}), crops = make("div", {class: "crops sheet", "data-show": "sheet"});
	const text = make("textarea", {readonly: true, rows: 6, "data-show": "export", "aria-label": "the selection as text", spellcheck: "false"});
	const formats = ["CSV", "JSON", "Go"];
	let format = 0;
	const chooser = select("selection as", "format", formats, 0, (i) => {
		format = i;
		store.change("format");
	}, formats.map((f) => f.toLowerCase()));
	const said = make("span", {class: "note", "aria-live": "polite"});
	const download = (name, href) => {
		const link = make("a", {href, download: name});
		document.body.append(link);
		link.click();
		link.remove();
	};
	const exported = (ids) => [asCSV, asJSON, asGo][format](store, ids);
	const save = () => {
		const address = URL.createObjectURL(new Blob([exported(store.pickedIds())], {type: "text/plain"}));
		download(`selection.${["csv", "json", "go.txt"][format]}`, address);
		setTimeout(() => URL.revokeObjectURL(address), 10000);
	};
	const copy = async () => {
		text.value = exported(store.pickedIds());
		text.focus();
		text.select();
		try {
			await navigator.clipboard.writeText(text.value);
			said.textContent = "copied";
		} catch {
			said.textContent = "press Ctrl-C: the browser does not let the page copy";
		}
	};
	const picture = (kind) => button(`picture as ${kind.toUpperCase()}`, kind, async () => {
		const address = await scatter.picture(kind);
		store.figure.dataset.picture = address.slice(0, 200000);
		download(`explorer.${kind}`, address);
	});
	const element = make("section", {class: "selection"}, title,
		make("div", {class: "controls"},
			button("clear", "clear", () => store.pick([])),
			chooser.element, button("copy", "copy", copy), button("download", "download", save), picture("svg"), picture("png"), said),
		text, crops);
	store.views.push((whats) => {
		if (!any(whats, "draw", "picked", "format")) return;
		const ids = store.pickedIds(), objects = ids.filter((id) => id < count);
		title.textContent = ids.length ? `Selected: ${objects.length} real objects, ${ids.length - objects.length} draws` : "Nothing is selected: draw around points, or tick them in the list";
		text.value = exported(ids.slice(0, textLimit)) + (ids.length > textLimit ? `and ${ids.length - textLimit} more: copy and download take all\n` : "");
		if (any(whats, "picked", "draw")) crops.replaceChildren(...objects.slice(0, sheetLimit).map((id) => cropButton(store, id, 56)),
			...objects.length > sheetLimit ? [make("p", {class: "say"}, `and ${objects.length - sheetLimit} more`)] : []);
	});
	return element;
};

// rowOf are the fields of a point.
const rowOf = (store, id) => {
	const {page, count, columns, state} = store, real = id < count;
	const about = real ? page.about[id] : {}, group = real ? page.groupOf[id] : null;
	const values = Object.fromEntries(columns.map((c, i) => [c.name, store.has(i, id) ? store.value(i, id) : null]));
	const {method, temperature, seed} = drawOf(store);
	return {
		kind: real ? group.unknown ? "unknown" : "known" : store.draw.kept.includes(id) ? "outlier" : "draw", index: real ? id : id - count,
		group: real ? group.name : method, class: real ? about.label || group.name : null, image: about.source || null, box: real && about.picture >= 0 ? about.box : null,
		...real ? {} : {temperature, seed}, values,
	};
};

// drawOf says which draw is shown.
const drawOf = ({state, page, method}) => state.fresh
	? {method: method().name, temperature: state.fresh.temperature, seed: state.fresh.seed}
	: {method: method().name, temperature: page.draws.temperatures[state.temperature], seed: page.draws.seeds[state.seed]};

const selectionOf = (store, ids) => ({
	objects: ids.filter((id) => id < store.count), ...drawOf(store), drawn: store.state.drawn,
	draws: ids.filter((id) => id >= store.count).map((id) => id - store.count),
});

const quoted = (value) => value === null || value === undefined ? "" : /[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);

const asCSV = (store, ids) => {
	const head = ["kind", "index", "group", "class", "image", "x0", "y0", "x1", "y1", "temperature", "seed", ...store.columns.map((c) => c.name)];
	const rows = ids.map((id) => rowOf(store, id)).map((r) => [r.kind, r.index, r.group, r.class, r.image, ...r.box ?? ["", "", "", ""], r.temperature, r.seed, ...Object.values(r.values)]);
	return [head, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
};

const asJSON = (store, ids) => JSON.stringify({...selectionOf(store, ids), points: ids.map((id) => rowOf(store, id))}, null, 1) + "\n";

const asGo = (store, ids) => {
	const s = selectionOf(store, ids), list = (numbers) => `[]int{${numbers.join(", ")}}`;
	return `selection := explorer.Selection{ // package ffslab/viz/explorer\n\tObjects: ${list(s.objects)},\n` +
		`\tMethod: ${JSON.stringify(s.method)}, Temperature: ${s.temperature}, Seed: ${s.seed}, Drawn: ${s.drawn},\n\tDraws: ${list(s.draws)},\n}\n`;
};

// listView is the list of points: everything that the plots show, for the keyboard and for screen readers.
const listView = (store) => {
	const {state, columns, count} = store;
	let page = 0, which = 0;
	const place = make("div", {"data-show": "list"}), where = make("span", {class: "note"});
	const again = () => store.change("list");
	const orders = columns.flatMap((c, i) => [[`${c.name}, ascending`, i, 1], [`${c.name}, descending`, i, -1]]);
	let order = orders[2 * store.energy];
	const element = make("details", {class: "list"}, make("summary", {}, "List of points"),
		make("div", {class: "controls"},
			select("show", "which", ["visible points", "selected points"], 0, (i) => { which = i; page = 0; again(); }).element,
			select("by", "order", orders.map((o) => o[0]), 2 * store.energy, (i) => { order = orders[i]; page = 0; again(); }).element,
			button("previous", "previous", () => { page--; again(); }), button("next", "next", () => { page++; again(); }), where),
		place);
	element.addEventListener("toggle", again);
	store.views.push((whats) => {
		if (!element.open || !any(whats, "draw", "hidden", "picked", "list")) return;
		const [, c, sign] = order;
		const ids = (which ? [...state.picked] : store.visible().flatMap((s) => s.ids)).filter((id) => store.has(c, id)).sort((a, b) => sign * (store.value(c, a) - store.value(c, b)) || a - b);
		const pages = Math.max(1, Math.ceil(ids.length / listRows));
		page = Math.min(pages - 1, Math.max(0, page));
		where.textContent = `page ${page + 1} of ${pages}`;
		const focus = document.activeElement?.dataset?.tick;
		const shown = [...new Set([c, store.energy, store.nll])];
		place.replaceChildren(table(["select", "point", ...shown.map((k) => columns[k].name)], ids.slice(page * listRows, (page + 1) * listRows).map((id) => {
			const box = make("input", {type: "checkbox", "data-tick": id, "aria-label": `select ${describe(store, id).split("\n")[0]}`, oninput: () => store.pick([id], box.checked ? "more" : "less")});
			box.checked = state.picked.has(id);
			return make("tr", {}, make("td", {}, box),
				make("td", {}, button(describe(store, id).split("\n")[0] + (id < count ? "" : ` ${id - count + 1}`), "choose", () => store.change("chosen", {chosen: id}), {class: "link"})),
				...shown.map((k) => make("td", {}, store.has(k, id) ? fixed(store.value(k, id)) : "–")));
		})));
		if (focus !== undefined) place.querySelector(`[data-tick="${focus}"]`)?.focus();
	});
	return element;
};
