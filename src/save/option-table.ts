/** Which option words a rule understands: those of ip, and of the matches and target it has named so far. */

import { matchDefinition, targetDefinition } from '../extensions/registry.ts'
import { invariant } from '../diagnostics/diagnostic.ts'
import type { ExtensionDefinition, OptionRow, OptionType } from '../extensions/extension.ts'
import type { MatchUse, OptionUse, TargetUse } from '../ir/ruleset.ts'
import { COMMAND_LETTERS } from './commands.ts'
import type { CommandLetter } from './commands.ts'
import type { Family } from '../net/address.ts'

/**
 * An option as it may be written: its own name, an alias, or another spelling with its own type. What is asked of every option of
 * every rule stands here once more: rows differ in shape, which makes reading them slow.
 */
export interface WrittenOption {
  /** The row's name, the key in `infos`. */
  readonly name: string
  /** The row's place among the rows. */
  readonly index: number
  readonly row: OptionRow<unknown>
  readonly type: OptionType<unknown>
  /** How many words follow. */
  readonly words: number
  readonly isOptional: boolean
  readonly invertible: boolean
  readonly makesRules: boolean
  /** It must stand after something else. */
  readonly isOrdered: boolean
  /** What its words were read as, without and with `!`. */
  readonly plain: Readings
  readonly inverted: Readings
}

/** What the words of an option were read as, by their text; shared by all rules of a ruleset. */
export interface Readings {
  readonly byText: Map<string, ReadOption>
  /** How often a text was found again. */
  hits: number
}

/** A step on the way from options to the use that they make: equal options in row order lead to one shared use. */
export interface UseNode {
  use: MatchUse | ExtensionTarget | undefined
  next: Map<ReadOption, UseNode> | undefined
}

/** An option read from words; equal words give one object, which is also the first `UseNode` of the uses that begin with it. */
export interface ReadOption extends UseNode {
  readonly written: WrittenOption
  readonly option: OptionUse
  /** What loading changes without a word. */
  readonly change: string | undefined
  /** It was read from words once only so far: no shared use can hold it. */
  isNew: boolean
  /** The spellings that came before it in the same use, where it may be given more than once. */
  readonly replaced?: readonly WrittenOption[]
}

/** A use of a target that is an extension. */
export type ExtensionTarget = Extract<TargetUse, { kind: 'target' }>

/** The words of one extension. `bare` is the node of the use without options. */
export interface ExtensionWords {
  readonly name: string
  readonly definition: ExtensionDefinition
  readonly byWord: ReadonlyMap<string, WrittenOption>
  readonly bare: UseNode
  /** The names of the rows that must be given. */
  readonly required: readonly string[]
  /** Some rows exclude or need others, or one of several must be given. */
  readonly hasConditions: boolean
}

/** What a word of iptables itself does: an option of ip, or one that steers the reading. */
export type BaseWord =
  | { readonly kind: 'ip'; readonly written: WrittenOption }
  | { readonly kind: 'match' | 'jump' | 'goto' | 'counters' | 'table' }
  | { readonly kind: 'command'; readonly letter: CommandLetter }

const CONTROL_WORDS: readonly (readonly [string, Exclude<BaseWord['kind'], 'ip' | 'command'>])[] = [
  ['-m', 'match'], ['--match', 'match'], ['-j', 'jump'], ['--jump', 'jump'], ['-g', 'goto'], ['--goto', 'goto'],
  ['-c', 'counters'], ['--set-counters', 'counters'], ['-t', 'table'], ['--table', 'table'],
]

/** The words of every extension of a family, made when first named. */
export interface Vocabulary {
  readonly family: Family
  readonly ip: ExtensionWords
  /** The words that every rule understands. */
  readonly base: ReadonlyMap<string, BaseWord>
  readonly match: (name: string) => ExtensionWords | undefined
  readonly target: (name: string) => ExtensionWords | undefined
  /** The jumps and gotos to user chains, by chain: equal ones are shared. */
  readonly jumps: Map<string, TargetUse>
  readonly gotos: Map<string, TargetUse>
}

/** Returns a fresh vocabulary for one ruleset: what it interns is shared by that ruleset's rules and no other. */
export function makeVocabulary(family: Family): Vocabulary {
  const match = lazily(name => matchDefinition(name, family), family)
  const ip = match('ip')
  invariant(ip, 'the match ip is registered')
  const base = new Map<string, BaseWord>([
    ...[...ip.byWord].map(([word, written]) => [word, { kind: 'ip', written }] as const),
    ...CONTROL_WORDS.map(([word, kind]) => [word, { kind }] as const),
    ...[...COMMAND_LETTERS].map(([word, letter]) => [word, { kind: 'command', letter }] as const),
  ])
  return { family, ip, base, match: name => (name === 'ip' ? undefined : match(name)), target: lazily(name => targetDefinition(name, family), family), jumps: new Map(), gotos: new Map() }
}

function lazily(find: (name: string) => ExtensionDefinition | undefined, family: Family): (name: string) => ExtensionWords | undefined {
  const known = new Map<string, ExtensionWords>()
  const byDefinition = new Map<ExtensionDefinition, ExtensionWords>()
  return name => {
    const old = known.get(name)
    if (old) return old
    const definition = find(name)
    if (!definition) return undefined
    const words = byDefinition.get(definition) ?? wordsOf(definition, family)
    byDefinition.set(definition, words)
    known.set(name, words)
    return words
  }
}

function wordsOf(definition: ExtensionDefinition, family: Family): ExtensionWords {
  const byWord = new Map<string, WrittenOption>()
  for (const [index, [name, row]] of Object.entries(definition.options).entries()) {
    if (row.families && !row.families.includes(family)) continue
    const written = (type: OptionType<unknown>): WrittenOption => ({
      name, index, row, type, words: type.words, isOptional: type.isOptional ?? false, invertible: row.invertible ?? false, makesRules: row.makesRules ?? false,
      isOrdered: row.after !== undefined || row.afterProtocol !== undefined, plain: { byText: new Map(), hits: 0 }, inverted: { byText: new Map(), hits: 0 },
    })
    const own = written(row.type)
    byWord.set(`--${name}`, own)
    for (const alias of row.aliases ?? []) byWord.set(alias, own)
    for (const [spelling, type] of Object.entries(row.spellings ?? {})) byWord.set(`--${spelling}`, written(type))
  }
  const rows = Object.values(definition.options)
  const required = Object.entries(definition.options).filter(([, row]) => row.required).map(([name]) => name)
  const hasConditions = definition.requiresOneOf !== undefined || rows.some(row => row.excludes || row.requires)
  return { name: definition.name, definition, byWord, bare: { use: undefined, next: undefined }, required, hasConditions }
}

/**
 * Returns the name of the match that a protocol brings along (`-p tcp` brings `-m tcp`), undefined where it brings none; `word` is how the
 * protocol was written. Kernel: 1.8.9 knows the mobility header by several names, and the match by one of them only. Source: iptables/xshared.c find_proto().
 */
export function matchOfProtocol(protocol: number, word: string): string | undefined {
  return protocol === 135 && word.toLowerCase() !== 'mh' ? undefined : PROTOCOL_MATCHES.get(protocol)
}

const PROTOCOL_MATCHES = new Map([[6, 'tcp'], [17, 'udp'], [136, 'udplite'], [1, 'icmp'], [58, 'icmp6'], [132, 'sctp'], [33, 'dccp'], [50, 'esp'], [51, 'ah'], [135, 'mh'], [108, 'ipcomp']])
