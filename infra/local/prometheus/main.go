// promread says what Prometheus's own parsers read, as JSON: `selectors` takes a JSON list of PromQL expressions from
// standard input and names the metrics and labels in each; `page` takes a page of metrics and names its families.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// selector is a metric with the labels that its matchers use.
type selector struct {
	Metric string   `json:"metric"`
	Labels []string `json:"labels"`
}

// reading is what one expression asks for. Labels are those it groups or joins by.
type reading struct {
	Selectors []selector `json:"selectors"`
	Labels    []string   `json:"labels"`
}

// family is a metric of a page. Labels are those of any of its series.
type family struct {
	Type   string   `json:"type"`
	Help   string   `json:"help"`
	Labels []string `json:"labels"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "promread:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: promread selectors|page")
	}
	var answer any
	var err error
	switch args[0] {
	case "selectors":
		answer, err = selectors(in)
	case "page":
		answer, err = page(in)
	default:
		err = fmt.Errorf("there is no %q", args[0])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

func selectors(in io.Reader) ([]reading, error) {
	var expressions []string
	if err := json.NewDecoder(in).Decode(&expressions); err != nil {
		return nil, err
	}
	promql := parser.NewParser(parser.Options{})
	readings := make([]reading, len(expressions))
	for at, expression := range expressions {
		parsed, err := promql.ParseExpr(expression)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expression, err)
		}
		readings[at] = read(parsed)
	}
	return readings, nil
}

func read(expression parser.Expr) reading {
	found := reading{Selectors: []selector{}, Labels: []string{}}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch typed := node.(type) {
		case *parser.VectorSelector:
			found.Selectors = append(found.Selectors, selectorOf(typed))
		case *parser.AggregateExpr:
			found.Labels = append(found.Labels, typed.Grouping...)
		case *parser.BinaryExpr:
			if typed.VectorMatching != nil {
				found.Labels = append(found.Labels, typed.VectorMatching.MatchingLabels...)
				found.Labels = append(found.Labels, typed.VectorMatching.Include...)
			}
		}
		return nil
	})
	return found
}

func selectorOf(vector *parser.VectorSelector) selector {
	used := selector{Metric: vector.Name, Labels: []string{}}
	for _, matcher := range vector.LabelMatchers {
		if matcher.Name != labels.MetricName {
			used.Labels = append(used.Labels, matcher.Name)
		}
	}
	return used
}

func page(in io.Reader) (map[string]family, error) {
	text := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := text.TextToMetricFamilies(in)
	if err != nil {
		return nil, err
	}
	families := map[string]family{}
	for name, metrics := range parsed {
		names := []string{}
		for _, metric := range metrics.GetMetric() {
			for _, pair := range metric.GetLabel() {
				if !slices.Contains(names, pair.GetName()) {
					names = append(names, pair.GetName())
				}
			}
		}
		slices.Sort(names)
		families[name] = family{strings.ToLower(metrics.GetType().String()), metrics.GetHelp(), names}
	}
	return families, nil
}
