/** What people paste: `iptables -t nat -A ...` lines and `iptables -S` output. */

import { splitWords } from '../../grammar/save-words.ts'
import type { Quoting } from '../../grammar/save-words.ts'
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

/** Tells whether a text is a list of commands rather than iptables-restore's format: no line begins a table, and some line is a command. */
export function isCommandForm(text: string): boolean {
  return !/^[ \t]*\*[ \t]*[a-z]/m.test(text) && SOME_COMMAND.test(text)
}

/** Reads a pasted command line: `iptables -t nat -A ...`, or a line of `iptables -S`, which is of table filter. */
export function readCommandLine(state: ReadState): void {
  const { line } = state
  const { text } = line.source
  if (text.charCodeAt(line.end - 1) === 13 && line.end > line.start) line.end--
  const found = commandLineStart(text, line.start, line.end)
  if (found === 'blank') return
  if (found === 'other') return skipLine(state, 'command-line', -1, 'this is not an iptables command', { severity: 'warning', help: 'the line is skipped' })
  if (found.family !== undefined && found.family !== state.vocabulary.family) {
    return skipLine(state, 'mixed-families', 0, `this command is for ${found.family === 'ipv6' ? 'IPv6' : 'IPv4'}`, { severity: 'note', help: 'read it with --family' })
  }
  const wholeStart = line.start
  line.start = found.start
  line.quoting = found.quoting
  line.words = []
  splitWords(text, line.start, line.end, line.words, undefined, line.quoting)
  state.rule.inRestore = false
  const at = line.words.findIndex(word => word === '-t' || word === '--table')
  const name = at === -1 ? 'filter' : (line.words[at + 1] ?? '')
  if (isTableName(name)) runWords(state, tableDraft(state, name), undefined, wholeStart)
  else skipLine(state, 'unknown-table', at + 1, `there is no table \`${name}\``, { help: didYouMean(name, TABLES) ?? `the tables are ${TABLES.join(', ')}` })
}

/** Returns where a line's command begins; 'blank' for blank lines and comments, 'other' for what is no iptables command. */
function commandLineStart(text: string, start: number, end: number): CommandStart | 'blank' | 'other' {
  const line = text.slice(start, end)
  const program = PROGRAM.exec(line)
  if (program) return { start: start + program[0].length, quoting: 'shell', family: program[1] === 'ip6tables' ? 'ipv6' : 'ipv4' }
  if (BARE.test(line)) return { start, quoting: 'restore', family: undefined }
  return /^\s*(#|$)/.test(line) ? 'blank' : 'other'
}
