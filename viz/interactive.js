// Sends the positions of the sliders to the running cell, and shows their values.
(() => {
	const attach = (tries) => {
		const comm = globalThis.gonb_comm;
		if (!comm) { // still connecting
			if (tries > 0) setTimeout(() => attach(tries - 1), 100);
			return;
		}
		const values = [{{range .Sliders}}{min: {{.Min}}, step: {{.Step}}},{{end}}];
		values.forEach(({min, step}, i) => {
			const slider = document.getElementById(`{{.ID}}_${i}`);
			const shown = document.getElementById(`{{.ID}}_${i}_value`);
			const decimals = (shown.textContent.split(".")[1] || "").length;
			let event = 0;
			slider.addEventListener("input", () => {
				event++;
				shown.textContent = (min + slider.valueAsNumber * step).toFixed(decimals);
				comm.send("/{{.ID}}", `${i} ${event} ${slider.value}`);
			});
		});
		comm.send("/{{.ID}}", "hello");
	};
	attach(70);
})();
