/**
 * iptables-save text -> words, by hand, in one pass. iptables-restore splits a line at blanks and tabs; double quotes keep blanks
 * together and a backslash inside them takes the next character as it is; single quotes mean nothing, and a closing quote ends
 * the word. Kernel: a quote that is not closed takes the line feed into the word.
 * Source: iptables/xshared.c add_param_to_argv().
 */

const TAB = 9
const SPACE = 32
const QUOTE = 34
const SINGLE_QUOTE = 39
const BACKSLASH = 92
const DASH = 45
const SHORT_OPTIONS = Array.from({ length: 128 }, (_, letter) => `-${String.fromCharCode(letter)}`)

/** Where a word stands: half-open offsets, quotes included. */
export interface WordSpan {
  readonly start: number
  readonly end: number
}

/** How words are quoted: as iptables-restore does, or as a shell does (for pasted command lines). */
export type Quoting = 'restore' | 'shell'

/** Appends the words of `text[start, end)` to `words` and, where given, their places to `spans`. Returns whether all quotes were closed. */
export function splitWords(text: string, start: number, end: number, words: string[], spans?: WordSpan[], quoting: Quoting = 'restore'): boolean {
  let at = start
  let allClosed = true
  while (at < end) {
    const first = text.charCodeAt(at)
    if (first === SPACE || first === TAB) {
      at++
      continue
    }
    const plainEnd = endOfPlainWord(text, at, end, quoting)
    if (plainEnd !== -1) {
      words.push(plainEnd - at === 2 && first === DASH ? shortOption(text.charCodeAt(at + 1), text, at) : text.slice(at, plainEnd))
      spans?.push({ start: at, end: plainEnd })
      at = plainEnd
      continue
    }
    const word = quotedWord(text, at, end, quoting)
    words.push(word.closed ? word.text : `${word.text}\n`)
    spans?.push({ start: at, end: word.end })
    allClosed &&= word.closed
    at = word.end
  }
  return allClosed
}

/** Returns a word such as `-A` without making a new string: most words of most files are these. */
function shortOption(letter: number, text: string, at: number): string {
  return SHORT_OPTIONS[letter] ?? text.slice(at, at + 2)
}

/** Returns where a word without quotes ends, -1 where it has one. */
function endOfPlainWord(text: string, start: number, end: number, quoting: Quoting): number {
  for (let at = start; at < end; at++) {
    const char = text.charCodeAt(at)
    if (char === SPACE || char === TAB) return at
    if (char === QUOTE || (quoting === 'shell' && (char === SINGLE_QUOTE || char === BACKSLASH))) return -1
  }
  return end
}

function quotedWord(text: string, start: number, end: number, quoting: Quoting): { text: string; end: number; closed: boolean } {
  const close = text.charCodeAt(start) === QUOTE && quoting === 'restore' ? text.indexOf('"', start + 1) : -1
  const simple = close === -1 || close >= end ? undefined : text.slice(start + 1, close)
  if (simple !== undefined && !simple.includes('\\')) return { text: simple, end: close + 1, closed: true }
  let word = ''
  let open = 0
  let at = start
  for (; at < end; at++) {
    const char = text.charCodeAt(at)
    if (open !== 0) {
      if (char === open) {
        open = 0
        // Kernel: iptables-restore ends the word at the closing quote, blank or not.
        if (quoting === 'restore') return { text: word, end: at + 1, closed: true }
      } else if (char === BACKSLASH && open === QUOTE && at + 1 < end) word += text[++at]
      else word += text[at]
    } else if (char === QUOTE || (quoting === 'shell' && char === SINGLE_QUOTE)) open = char
    else if (quoting === 'shell' && char === BACKSLASH && at + 1 < end) word += text[++at]
    else if (char === SPACE || char === TAB) break
    else word += text[at]
  }
  return { text: word, end: at, closed: open === 0 }
}

/** Returns the words of `text[start, end)` where quotes mean nothing, as strtok(3) splits chain and table lines. */
export function splitBlanks(text: string, start: number, end: number): string[] {
  const words: string[] = []
  for (let at = start; at < end; ) {
    const char = text.charCodeAt(at)
    if (char === SPACE || char === TAB) {
      at++
      continue
    }
    const from = at
    while (at < end && text.charCodeAt(at) !== SPACE && text.charCodeAt(at) !== TAB) at++
    words.push(text.slice(from, at))
  }
  return words
}

/** Returns a word as iptables-save writes it: quoted where it has any character but letters, digits, `_` and `-`. Source: libxtables xtables_save_string(). */
export function quoteWord(word: string): string {
  return /^[-_0-9A-Za-z]+$/.test(word) ? word : `"${word.replace(/["\\']/g, '\\$&')}"`
}
