package viz

import (
	_ "embed"
	"fmt"
	"html"
	"strings"
	"text/template"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/comms"
)

// page is the output of the running cell: a block with the sliders and one with the figure.
type page struct {
	sliders         []Slider
	id              string
	controls, block string // GoNB's ids of the two blocks
	note            string // for the end, after the values
}

func newPage(sliders []Slider) *page {
	id := "viz_" + gonbui.UniqueId()
	return &page{sliders: sliders, id: id, controls: id + "_controls", block: id + "_figure"}
}

//go:embed interactive.js
var script string

var scriptTemplate = template.Must(template.New("interactive.js").Parse(script))

// open puts the sliders on the page and listens to them, to the end of the cell: in GoNB v0.11.4 a message to
// an address that somebody has unsubscribed from blocks all later ones.
func (p *page) open(positions []int) *mailbox {
	box := newMailbox()
	comms.Subscribe("/"+p.id, func(_ string, message string) { box.put(message) })
	var b strings.Builder
	b.WriteString(`<div style="display:grid;grid-template-columns:max-content minmax(8em,20em) max-content;` +
		`gap:0.2em 0.8em;align-items:center">`)
	for i, s := range p.sliders {
		id := fmt.Sprintf("%s_%d", p.id, i)
		fmt.Fprintf(&b, `<label for="%s">%s</label>`, id, html.EscapeString(s.Label))
		fmt.Fprintf(&b, `<input type="range" id="%s" min="0" max="%d" value="%d">`, id, s.positions()-1, positions[i])
		fmt.Fprintf(&b, `<output id="%s_value">%s</output>`, id, s.text(s.value(positions[i])))
	}
	b.WriteString("</div><script>")
	// The id comes from GoNB and the numbers are checked: nothing in the script needs escaping.
	if err := scriptTemplate.Execute(&b, struct {
		ID      string
		Sliders []Slider
	}{p.id, p.sliders}); err != nil {
		panic(err) // the template and its data are fixed in this file
	}
	b.WriteString("</script>")
	gonbui.UpdateHTML(p.controls, b.String())
	return box
}

// show implements display.
func (p *page) show(f *Figure) error {
	block, err := f.html()
	if err != nil {
		return err
	}
	gonbui.UpdateHTML(p.block, block)
	return gonbui.Error()
}

// complain implements display.
func (p *page) complain(err error) {
	gonbui.UpdateHTML(p.block, `<pre style="color:#D55E00;white-space:pre-wrap">`+html.EscapeString(err.Error())+"</pre>")
}

// finish replaces the sliders by the values they had, for the saved notebook, and shows the last figure.
func (p *page) finish(f *Figure, positions []int) error {
	var values []string
	for i, s := range p.sliders {
		values = append(values, fmt.Sprintf("%s = %s", s.Label, s.text(s.value(positions[i]))))
	}
	gonbui.UpdateHTML(p.controls, "<p>"+html.EscapeString(strings.Join(values, ", ")+p.note)+"</p>")
	err := p.show(f)
	gonbui.Sync()
	return err
}
