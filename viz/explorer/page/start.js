// start fills the page's figures. A notebook may run the script before the figure is part of the document: then it waits.
const start = async (id, packed, library, remedy, tries = 200) => {
	const figures = document.querySelectorAll(`figure[data-explorer="${id}"]:not([data-ready])`);
	if (!figures.length) {
		if (tries > 0) setTimeout(() => start(id, packed, library, remedy, tries - 1), 50);
		return;
	}
	for (const figure of figures) figure.dataset.ready = "";
	const absent = (text) => { for (const figure of figures) figure.querySelector(".absent").textContent = text; };
	if (!library) return absent(`Plotly.js is missing, which draws this page. ${remedy}`);
	if (!globalThis.DecompressionStream) return absent("This browser is too old for the page: it needs DecompressionStream, which browsers have since 2023. Open the page in a newer one.");
	const [text, page] = await Promise.all([globalThis.vizPlotly ? "" : unpack(library), unpack(packed).then(JSON.parse)]);
	// Other pages may have a library of the same name: ours gets a name of its own.
	if (text) {
		const module = {exports: {}};
		new Function("module", eager(text))(module);
		globalThis.vizPlotly = module.exports;
	}
	Plotly = globalThis.vizPlotly;

	page.objects = readPoints(page.objects);
	for (const m of page.draws.methods) m.points = readPoints(m.points);
	page.paths.points = readPoints(page.paths.points);
	page.paths.straight = floats(page.paths.straight);
	// A short address of the sheet: a long one would be read again for every crop.
	page.crops.src = URL.createObjectURL(new Blob([bytes(page.crops.jpeg)], {type: "image/jpeg"}));
	page.groupOf = [];
	for (const g of page.groups) {
		g.objects = range(page.groupOf.length, g.count);
		page.groupOf.push(...g.objects.map(() => g));
	}
	for (const figure of figures) fill(page, figure);
};

// eager puts the library's one function in parentheses: Chromium then parses it once instead of twice, which saves a tenth of the time until the page is drawn.
const eager = (text) => {
	const from = text.indexOf("() => {"), to = text.lastIndexOf("));");
	return from < 0 || to < from ? text : `${text.slice(0, from)}(${text.slice(from, to)})${text.slice(to)}`;
};

const fill = (page, figure) => {
	const store = newStore(page, figure), live = newLive(store), scatter = scatterView(store), legend = legendView(store);
	const controls = controlsView(store, scatter, live), detail = detailView(store), first = store.energy;
	const views = [
		make("section", {class: "draws"}, make("h4", {}, "Synthetic outliers among real features"), ...controls,
			make("div", {class: "two"}, make("div", {}, scatter.chart.div, scatter.note, legend.summary, detail.numbers), make("div", {}, legend.place, detail.place))),
		make("div", {class: "histograms"}, histogramView(store, 1, first), histogramView(store, 2, page.nll ? store.nll : page.columns.findLastIndex((c) => c.inlier))),
		selectionView(store, scatter), listView(store), pathView(store, live), surfaceView(store),
	];
	figure.querySelector(".absent").remove();
	figure.prepend(...views.filter(Boolean));
	store.change("all");
};
