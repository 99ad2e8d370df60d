package script

import (
	"math"
	"strconv"
	"strings"
)

// Number returns the number that a bare word is in PowerShell: an int64 or a float64, as 5,
// -1.5, 1e3, 0x1F or 10MB. ok is false for all other words, and for numbers of PowerShell
// that ck does not take: too large ones, types told by a letter, binary ones.
func Number(word string) (n any, ok bool) {
	n, problem := number(word)
	return n, problem == ""
}

// units are the factors that PowerShell knows.
var units = map[string]int64{"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}

// number is Number that says what is wrong.
func number(word string) (n any, problem string) {
	digits := strings.ToLower(plainDashes(word))
	sign := int64(1)
	if rest, minus := strings.CutPrefix(digits, "-"); minus {
		digits, sign = rest, -1
	}
	factor := int64(1)
	if len(digits) > 2 {
		if f, ok := units[digits[len(digits)-2:]]; ok {
			digits, factor = digits[:len(digits)-2], f
		}
	}
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		return hexNumber(hex, sign*factor)
	}
	if !isDecimal(digits) {
		return nil, "is no number"
	}
	if strings.ContainsAny(digits, ".e") {
		f, err := strconv.ParseFloat(digits, 64)
		if f *= float64(sign * factor); err != nil || math.IsInf(f, 0) {
			return nil, "is too large"
		}
		return f, ""
	}
	if sign < 0 {
		digits = "-" + digits
	}
	return scaled(digits, 10, factor)
}

// hexNumber refuses numbers that fill their 4 or 8 bytes: PowerShell takes them for negative.
func hexNumber(hex string, factor int64) (any, string) {
	if hex == "" || strings.Trim(hex, "0123456789abcdef") != "" {
		return nil, "is no number"
	}
	if (len(hex) == 8 || len(hex) == 16) && hex[0] >= '8' {
		return nil, "would be a negative number in PowerShell"
	}
	return scaled(hex, 16, factor)
}

func scaled(digits string, base int, factor int64) (any, string) {
	n, err := strconv.ParseInt(digits, base, 64)
	if product := n * factor; err == nil && product/factor == n {
		return product, ""
	}
	return nil, "is too large"
}

// isDecimal tells digits with at most one point, and an exponent. A point may begin a
// number, but ends none.
func isDecimal(s string) bool {
	mantissa, exponent, scientific := strings.Cut(s, "e")
	if scientific {
		if exponent != "" && strings.ContainsRune("+-", rune(exponent[0])) {
			exponent = exponent[1:]
		}
		if !onlyDigits(exponent) {
			return false
		}
	}
	whole, part, point := strings.Cut(mantissa, ".")
	if !point {
		return onlyDigits(whole)
	}
	return onlyDigits(part) && (whole == "" || onlyDigits(whole))
}

func onlyDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// atNumber tells the beginning of a number.
func (p *parser) atNumber() bool {
	c := p.cursor
	if isDash(c.peek()) {
		c.next()
	}
	return isDigit(c.peek()) || c.peek() == '.' && isDigit(c.second())
}

// number reads a number of an expression.
func (p *parser) number() Expression {
	at, start := p.at, p.off
	if isDash(p.peek()) {
		p.next()
	}
	p.digits()
	word := p.text[start:p.off]
	n, problem := number(word)
	if problem != "" {
		p.fail(at, "put text in quotes", "%s %s", shown(word), problem)
	}
	return &Literal{At: at, Data: n}
}

// digits steps over what may belong to a number; two points are an operator.
func (p *parser) digits() {
	hex := p.has("0x") || p.has("0X")
	for {
		switch r := p.peek(); {
		case isNamePart(r), r == '.' && p.second() != '.':
			p.next()
			if !hex && (r == 'e' || r == 'E') && (p.peek() == '+' || isDash(p.peek())) && isDigit(p.second()) {
				p.next()
			}
		default:
			return
		}
	}
}
