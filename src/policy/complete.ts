/** What can be written at a place of a policy: names, services and words of the language. */

import type { IToken } from 'chevrotain'
import { KEYWORDS, LineEnd, splitPolicy } from '../../grammar/policy-tokens.ts'
import { protocolNames } from '../net/protocol.ts'
import { KNOWN_SERVICES } from './known-services.ts'
import type { StudiedPolicy } from './study.ts'

/** A word that can be written. */
export interface Completion {
  readonly word: string
  readonly kind: 'zone' | 'list' | 'service' | 'keyword'
}

const STATEMENTS = ['include', 'let', 'zone', 'default', 'option', 'allow', 'deny', 'reject', 'log', 'untracked', 'publish', 'masquerade', 'snat', 'redirect', 'raw', 'test', 'from', 'to', 'expect', 'never']
const BEFORE_SERVICES: ReadonlySet<string> = new Set(['allow', 'deny', 'reject', 'log', 'untracked', 'publish', 'redirect', 'expect', 'never', 'published'])
const BEFORE_ENDS: ReadonlySet<string> = new Set(['from', 'to', 'on', 'in', 'at', 'out', 'masquerade', 'snat', 'reaches', 'leaves', 'as'])
const CLAUSES = KEYWORDS.filter(word => !STATEMENTS.includes(word) || word === 'from' || word === 'to' || word === 'log')

/** Returns the words that can stand at an offset of a text; the word that is being written there does not count. */
export function completionsAt({ names }: Pick<StudiedPolicy, 'names'>, text: string, offset: number): readonly Completion[] {
  const written = text.slice(0, offset).replace(/[A-Za-z0-9_.-]*$/, '')
  const before = sentenceBefore(written)
  const last = before[before.length - 1]
  if (!last || last.image === '{') return STATEMENTS.map(keyword)
  const isOpen = last.image === ',' || last.image === 'except'
  const opener = isOpen ? before.findLast(({ image }) => BEFORE_SERVICES.has(image) || BEFORE_ENDS.has(image) || image === 'let')?.image : last.image
  const lists = (kind: 'addresses' | 'services'): readonly Completion[] => [...names.definitions.keys()].filter(name => names.list(name)?.kind === kind).map(word => ({ word, kind: 'list' }))
  const services: readonly Completion[] = [...lists('services'), ...[...Object.keys(KNOWN_SERVICES), 'ping', 'icmp-essentials', ...protocolNames()].map(word => ({ word, kind: 'service' as const }))]
  const ends: readonly Completion[] = [...[...names.zones.keys()].map(word => ({ word, kind: 'zone' as const })), ...lists('addresses')]
  if (opener === 'let' || (last.image === '=' && before[0]?.image === 'let')) return [...lists('addresses'), ...services]
  if (opener !== undefined && BEFORE_SERVICES.has(opener)) return [...services, ...(isOpen ? [] : CLAUSES.map(keyword)), keyword('published')]
  if (opener !== undefined && BEFORE_ENDS.has(opener)) return [...ends, keyword('any'), keyword('fw')]
  return CLAUSES.map(keyword)
}

function keyword(word: string): Completion {
  return { word, kind: 'keyword' }
}

/** The words of the line so far; a line end after a comma does not end it. */
function sentenceBefore(text: string): readonly IToken[] {
  const { tokens } = splitPolicy(text, Math.max(0, text.lastIndexOf('\n', text.length - 4000)))
  const start = tokens.findLastIndex((token, index) => token.tokenType === LineEnd && tokens[index - 1]?.image !== ',')
  return tokens.slice(start + 1).filter(({ tokenType }) => tokenType !== LineEnd)
}
