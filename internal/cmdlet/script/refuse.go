package script

import "strings"

const (
	useForEach = "pipe the values into ForEach-Object { one pipeline }"
	useWhere   = "filter values with Where-Object { condition }"
	useOutFile = "write a file with | Out-File, silence a command with | Out-Null"
	useAction  = "say what an error does with -ErrorAction, and ask $? how the command before went"
	useText    = `put text together in double quotes: "$first $second"`
)

// keywords are the words that begin a statement of PowerShell that is no command.
var keywords = map[string]refusal{
	"foreach":      {"foreach loops are", useForEach},
	"for":          {"for loops are", useForEach},
	"while":        {"while loops are", useForEach},
	"do":           {"do loops are", useForEach},
	"until":        {"do loops are", useForEach},
	"break":        {"break is", "end a pipeline early with Select-Object -First"},
	"continue":     {"continue is", useWhere},
	"if":           {"if is", useWhere},
	"else":         {"if is", useWhere},
	"elseif":       {"if is", useWhere},
	"switch":       {"switch is", useWhere},
	"try":          {"try is", useAction},
	"catch":        {"try is", useAction},
	"finally":      {"try is", useAction},
	"trap":         {"trap is", useAction},
	"throw":        {"throw is", "say what is wrong with Write-Error -ErrorAction Stop"},
	"exit":         {"exit is", "a script ends with its last line"},
	"return":       {"return is", ""},
	"function":     {"functions are", ""},
	"filter":       {"functions are", ""},
	"param":        {"param is", "set a variable at the top of the script: $name = 'value'"},
	"begin":        {"begin is", useForEach},
	"process":      {"process is", useForEach},
	"end":          {"end is", useForEach},
	"clean":        {"clean is", useForEach},
	"dynamicparam": {"dynamicparam is", ""},
	"class":        {"classes are", ""},
	"enum":         {"enum is", ""},
	"using":        {"using is", ""},
	"data":         {"data sections are", ""},
	"workflow":     {"workflows are", ""},
	"hidden":       {"classes are", ""},
	"static":       {"classes are", ""},
}

// operators are the binary ones that ck takes, by their names without dash and without the
// letter that tells case; true stands for those of comparison, false for those of logic.
var operators = map[string]bool{
	"eq": true, "ne": true, "gt": true, "ge": true, "lt": true, "le": true,
	"like": true, "notlike": true, "match": true, "notmatch": true,
	"contains": true, "notcontains": true, "in": true, "notin": true,
	"and": false, "or": false, "xor": false,
}

// otherOperators are those of PowerShell that ck does not take.
var otherOperators = map[string]string{
	"replace": "", "split": "", "is": "", "isnot": "", "as": "", "bnot": "", "band": "", "bor": "", "bxor": "", "shl": "", "shr": "",
	"join": useText, "f": useText,
}

// operatorOf splits the name of an operator, as it was written behind its dash, into the
// one that it means and whether it tells upper from lower case.
func operatorOf(name string) (op string, exact, known bool) {
	op = strings.ToLower(name)
	if _, known = operators[op]; known {
		return op, false, true
	}
	if op != "" && (op[0] == 'c' || op[0] == 'i') && operators[op[1:]] {
		return op[1:], op[0] == 'c', true
	}
	return op, false, false
}

// isOtherOperator tells the operators that ck does not take, of either case.
func isOtherOperator(name string) (instead string, is bool) {
	name = strings.ToLower(name)
	if instead, is = otherOperators[name]; is || name == "" {
		return instead, is
	}
	if name[0] == 'c' || name[0] == 'i' {
		instead, is = otherOperators[name[1:]]
	}
	return instead, is
}

// beginsExpression tells the operators that may stand in front of a value, of ck or not.
func beginsExpression(name string) bool {
	switch strings.ToLower(name) {
	case "not", "bnot", "join", "split", "csplit", "isplit":
		return true
	}
	return false
}
