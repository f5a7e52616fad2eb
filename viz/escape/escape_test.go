package escape

import (
	"fmt"
	"testing"
)

func TestOrdinaryNamesStay(t *testing.T) {
	for _, name := range []string{
		"", "person", "traffic light", "digits:ood-near?n=1500", "weighted_energy", "coco:val.json,images", "Straße 交通灯", "👩‍🚒", "73.8 [72.2, 75.6]", "AP75 ↑",
		"salt & pepper", "+1.2 ± 0.3", "-", "> 0.5", "runs/flow (near)", "a|b", "#1", "100%",
	} {
		for target, escaped := range map[string]string{"Line": Line(name), "Lines": Lines(name), "Markdown": Markdown(name)} {
			if escaped != name {
				t.Errorf("%s(%q) = %q", target, name, escaped)
			}
		}
	}
}

func TestEscapes(t *testing.T) {
	for _, test := range []struct {
		target  func(string) string
		s, want string
	}{
		{Line, "two\nlines\r\t", `two\nlines\r\t`},
		{Line, "\x1b[31mred\x00\x7f", `\x1b[31mred\x00\x7f`},
		{Line, "a\u202eb\u2028\u0085", `a\u202eb\u2028\u0085`},
		{Line, "not \xff UTF-8 \uFFFD", `not \xff UTF-8 ` + "\uFFFD"},
		{Lines, "two\nlines\t\x1b[2J", "two\nlines\t" + `\x1b[2J`},
		{Markdown, "<img src=x onerror=alert(1)>", "`<img src=x onerror=alert(1)>`"},
		{Markdown, "a\nb", "`a\\nb`"}, // the quoted break holds a backslash, which Markdown reads
		{Markdown, "&lt;b&gt;", "`&lt;b&gt;`"},
		{Markdown, "*a*", "`*a*`"},
		{Markdown, "_a_", "`_a_`"},
		{Markdown, "$x$", "`$x$`"},
		{Markdown, "[a](b)", "`[a](b)`"},
		{Markdown, "http://a", "`http://a`"},
		{Markdown, "a`b``c", "```a`b``c```"},
		{Markdown, "`", "`` ` ``"},
		{LaTeX, `a_b & 5 % \ {x} <y>`, `a\_b \& 5 \% \textbackslash{} \{x\} \textless{}y\textgreater{}`},
		{LaTeX, "[a]", "{}[a]"},
		{LaTeX, "*", "{}*"},
		{LaTeX, "a\nb", `a\textbackslash{}nb`},
	} {
		if got := test.target(test.s); got != test.want {
			t.Errorf("%s of %q: %q, want %q", fmt.Sprintf("%T", test.target), test.s, got, test.want)
		}
	}
}
