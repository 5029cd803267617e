/** What people paste: `iptables -t nat -A ...` lines and `iptables -S` output. */

import { splitWords } from '../../grammar/save-words.ts'
import type { Quoting, WordSpan } from '../../grammar/save-words.ts'
import { didYouMean } from '../extensions/did-you-mean.ts'
import { isTableName, TABLES } from '../ir/hooks.ts'
import type { Family } from '../net/address.ts'
import { runWords, skipLine, tableDraft } from './read-state.ts'
import type { ReadState } from './read-state.ts'

/** Where the words of a command begin on a line. */
interface CommandStart {
  readonly start: number
  readonly quoting: Quoting
  /** What the program's name says; undefined for `iptables -S` output. */
  readonly family: Family | undefined
}

const PROGRAM = /^\s*(?:\$\s+|#\s+(?=ip6?tables\s))?(?:sudo\s+)?(?:\S*\/)?(ip6?tables)(?:-legacy|-nft)?(?=\s)/
const BARE = /^\s*-(?:[APNIDRFXZEt]|-append|-policy|-new-chain|-insert|-table)\s/

const SOME_COMMAND = new RegExp(`${PROGRAM.source}|${BARE.source}`, 'm')

/** A line that begins a table, or stands in one only: `*filter`, `:INPUT ACCEPT`, `COMMIT`. */
const RESTORE_FORMAT = /^(?:[ \t]*\*[ \t]*[a-z]|:[\w-]|COMMIT[ \t\r]*$)/m

/** Tells whether a text is a list of commands rather than iptables-restore's format: no line is of that, and some line is a command. */
export function isCommandForm(text: string): boolean {
  return !RESTORE_FORMAT.test(text) && SOME_COMMAND.test(text)
}

/** Reads a pasted command line: `iptables -t nat -A ...`, or a line of `iptables -S`, which is of table filter. */
export function readCommandLine(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  if (text.charCodeAt(line.end - 1) === 13 && line.end > line.start) line.end--
  const found = commandLineStart(text, line.start, line.end)
  if (found === 'blank') return
  if (found === 'other') return skipOther(state)
  if (found.family !== undefined && found.family !== state.vocabulary.family) {
    return state.complain('mixed-families', 0, `this command is for ${found.family === 'ipv6' ? 'IPv6' : 'IPv4'}`, { severity: 'note', help: 'read it with --family' })
  }
  const wholeStart = line.start
  line.start = found.start
  line.quoting = found.quoting
  line.words = []
  if (found.quoting === 'shell') line.end = endOfCommand(text, line.start, line.end)
  splitWords(text, line.start, line.end, line.words, undefined, line.quoting)
  if (found.quoting === 'shell' && SUBSTITUTION.test(withoutSingleQuotes(text.slice(line.start, line.end)))) return skipShell(state)
  state.rule.inRestore = false
  const at = line.words.findIndex(word => word === '-t' || word === '--table')
  const name = at === -1 ? 'filter' : (line.words[at + 1] ?? '')
  if (isTableName(name)) runWords(state, tableDraft(state, name), undefined, wholeStart)
  else skipLine(state, 'unknown-table', at + 1, `there is no table \`${name}\``, { help: didYouMean(name, TABLES) ?? `the tables are ${TABLES.join(', ')}` })
}

/** What a shell would put something else for. */
const SUBSTITUTION = /(?<!\\)(?:\$[\w{(@*#?]|`)/

/** The words of a shell that decide which commands run, and how often. */
const CONTROL = /^\s*(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|function)\b|^\s*\w+\s*\(\)|^\s*[{}]/

/** A line that is no iptables command: of a shell script it may make rules all the same. */
function skipOther(state: ReadState): void {
  const { line } = state
  const text = line.source.text.slice(line.start, line.end)
  if (CONTROL.test(text) || (SUBSTITUTION.test(text) && !/^\s*(?:echo|printf|export|\w+=)/.test(text))) return skipShell(state)
  skipLine(state, 'command-line', -1, 'this is not an iptables command', { severity: 'warning', help: 'the line is skipped' })
}

/** Says once that a text is more of a script than can be followed. */
function skipShell(state: ReadState): void {
  state.partial = true
  if (state.saidShellScript) return
  state.saidShellScript = true
  state.complain('shell-script', -1, 'this is a shell script: lines with variables, loops and conditions are skipped, here and below', {
    help: "run it where it changes nothing and read what it made: `sudo unshare -n sh -c 'sh SCRIPT; iptables-save' | 5x5 check -`",
  })
}

function withoutSingleQuotes(text: string): string {
  return text.replace(/'[^']*'/g, '')
}

/** Returns where the command ends: a shell takes `#` at the beginning of a word, outside of quotes, for a comment. */
function endOfCommand(text: string, start: number, end: number): number {
  if (!text.slice(start, end).includes('#')) return end
  const spans: WordSpan[] = []
  splitWords(text, start, end, [], spans, 'shell')
  const comment = spans.find(span => text[span.start] === '#')
  return comment?.start ?? end
}

/** Returns where a line's command begins; 'blank' for blank lines and comments, 'other' for what is no iptables command. */
function commandLineStart(text: string, start: number, end: number): CommandStart | 'blank' | 'other' {
  const line = text.slice(start, end)
  const program = PROGRAM.exec(line)
  if (program) return { start: start + program[0].length, quoting: 'shell', family: program[1] === 'ip6tables' ? 'ipv6' : 'ipv4' }
  if (BARE.test(line)) return { start, quoting: 'restore', family: undefined }
  return /^\s*(#|$)/.test(line) ? 'blank' : 'other'
}
