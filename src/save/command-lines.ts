/** What people paste: `iptables -t nat -A ...` lines and `iptables -S` output. */

import type { Quoting } from '../../grammar/save-words.ts'
import type { Family } from '../net/address.ts'

/** Where the words of a command begin on a line. */
export interface CommandStart {
  readonly start: number
  readonly quoting: Quoting
  /** What the program's name says; undefined for `iptables -S` output. */
  readonly family: Family | undefined
}

const PROGRAM = /^\s*(?:\$\s+|#\s+(?=ip6?tables\s))?(?:sudo\s+)?(?:\S*\/)?(ip6?tables)(?:-legacy|-nft)?(?=\s)/
const BARE = /^\s*-(?:[APNIDRFXZEt]|-append|-policy|-new-chain|-insert|-table)\s/

/** Tells whether a text is a list of commands rather than iptables-restore's format: its first meaningful line decides. */
export function isCommandForm(text: string): boolean {
  const first = /^(?![ \t]*(?:#(?!\s+ip6?tables\s)|\r?$)).*$/m.exec(text)?.[0] ?? ''
  return PROGRAM.test(first) || BARE.test(first)
}

/** Returns where a line's command begins; 'blank' for blank lines and comments, 'other' for what is no iptables command. */
export function commandLineStart(text: string, start: number, end: number): CommandStart | 'blank' | 'other' {
  const line = text.slice(start, end)
  const program = PROGRAM.exec(line)
  if (program) return { start: start + program[0].length, quoting: 'shell', family: program[1] === 'ip6tables' ? 'ipv6' : 'ipv4' }
  if (BARE.test(line)) return { start, quoting: 'restore', family: undefined }
  return /^\s*(#|$)/.test(line) ? 'blank' : 'other'
}
