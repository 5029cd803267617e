/** A chain while a text is being loaded: rules that were read, and lines that are known without having been read. */

import { invariant } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Chain, ChainDigest, ChainJump, Rule, RuleId, RuleKind } from '../ir/ruleset.ts'
import type { LineKind } from './line-tree.ts'

/** The same with parts that may be set. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A chain that can still change. `rules` are its rules unless it has `lines`. */
export type ChainDraft = Omit<Writable<Chain>, 'rules' | 'digest'> & { rules: Writable<Rule>[]; lines: DraftLines | undefined }

/** The `-A` lines of one source in file order; the arrays are of one length, one place for each line. */
export interface LineStore {
  readonly source: SourceFile
  /** Reads the rule of a line of a kind that begins at an offset. */
  readonly read: (start: number, kind: LineKind | undefined) => Writable<Rule>
  /** The rule, or where its line begins. */
  readonly entries: (Writable<Rule> | number)[]
  /** Undefined where a rule is of a kind of its own. */
  readonly kinds: (LineKind | undefined)[]
  readonly marks: number[]
  /** The user chain that the rule jumps or goes to. */
  readonly jumps: (string | undefined)[]
}

/** The rules of a chain: places of a store. */
export interface DraftLines {
  readonly store: LineStore
  /** First place and number of places of every run of lines that stand together. */
  readonly runs: number[]
  count: number
  /** Some mark is not known. */
  isUnsure: boolean
}

/** Returns the lines of a chain to which the next line of a source may be added; undefined where its rules are read already. */
export function linesOf(chain: ChainDraft, store: LineStore): DraftLines | undefined {
  if (!chain.lines && chain.rules.length === 0) chain.lines = { store, runs: [], count: 0, isUnsure: false }
  return chain.lines?.store === store ? chain.lines : undefined
}

/** Adds a line; `entry` is its rule, or where it begins. */
export function addEntry(lines: DraftLines, entry: Writable<Rule> | number, kind: LineKind | undefined, mark: number, jump: string | undefined): void {
  const { store, runs } = lines
  const place = store.entries.length
  store.entries.push(entry)
  store.kinds.push(kind)
  store.marks.push(mark)
  store.jumps.push(jump)
  lines.count++
  const last = runs.length - 1
  const length = runs[last]
  if (length !== undefined && (runs[last - 1] ?? 0) + length === place) runs[last] = length + 1
  else runs.push(place, 1)
}

/** Adds a rule that was read. */
export function appendRule(chain: ChainDraft, rule: Writable<Rule>, known: { readonly kind: LineKind; readonly mark: number } | undefined): void {
  const { lines } = chain
  if (!lines || lines.store.source !== rule.span.source) {
    settle(chain).push(rule)
    return
  }
  addEntry(lines, rule, known?.kind, known?.mark ?? 0, rule.target && rule.target.kind !== 'target' ? rule.target.chain : undefined)
  lines.isUnsure ||= known === undefined
}

/** Reads all lines of a chain and returns its rules; what is changed in them stays. */
export function settle(chain: ChainDraft): Writable<Rule>[] {
  if (chain.lines) chain.rules = readLines(chain.lines)
  chain.lines = undefined
  return chain.rules
}

/** Takes all rules out of a chain. */
export function emptyChain(chain: ChainDraft): void {
  chain.rules = []
  chain.lines = undefined
}

/** Returns those rules of a chain that were read. */
export function readRules({ lines, rules }: ChainDraft): readonly Rule[] {
  if (!lines) return rules
  const found: Rule[] = []
  eachPlace(lines, place => {
    const entry = lines.store.entries[place]
    if (typeof entry === 'object') found.push(entry)
  })
  return found
}

/** Returns the chain; its rules are numbered from `firstRule` and read when first asked for. */
export function finishChain(draft: ChainDraft, id: number, firstRule: RuleId): { readonly chain: Chain; readonly ruleCount: number } {
  const { table, name, hook, policy, counters, span, lines } = draft
  if (!lines) {
    for (const [index, rule] of draft.rules.entries()) rule.id = firstRule + index
    return { chain: { id, table, name, hook, policy, counters, span, rules: draft.rules }, ruleCount: draft.rules.length }
  }
  let rules: readonly Rule[] | undefined
  let digest: ChainDigest | undefined
  let places: Int32Array | undefined
  const ruleAt = (index: number): Rule | undefined => {
    places ??= placesOf(lines)
    return rules?.[index] ?? readPlace(lines, places[index] ?? -1, firstRule + index)
  }
  return {
    chain: {
      id, table, name, hook, policy, counters, span,
      get rules() {
        return (rules ??= readLines(lines, firstRule))
      },
      get digest() {
        return (digest ??= digestOf(lines, ruleAt))
      },
    },
    ruleCount: lines.count,
  }
}

function eachPlace({ runs }: DraftLines, visit: (place: number, index: number) => void): void {
  let index = 0
  for (let run = 0; run < runs.length; run += 2) {
    const first = runs[run] ?? 0
    const length = runs[run + 1] ?? 0
    for (let place = first; place < first + length; place++) visit(place, index++)
  }
}

function placesOf(lines: DraftLines): Int32Array {
  const places = new Int32Array(lines.count)
  eachPlace(lines, (place, index) => {
    places[index] = place
  })
  return places
}

function readLines(lines: DraftLines, firstRule: RuleId = 0): Writable<Rule>[] {
  const rules: Writable<Rule>[] = []
  eachPlace(lines, (place, index) => {
    const rule = readPlace(lines, place, firstRule + index)
    if (rule) rules.push(rule)
  })
  return rules
}

function readPlace({ store }: DraftLines, place: number, id: RuleId): Writable<Rule> | undefined {
  const entry = store.entries[place]
  const rule = typeof entry === 'number' ? store.read(entry, store.kinds[place]) : entry
  if (rule) rule.id = id
  return rule
}

function digestOf(lines: DraftLines, ruleAt: ChainDigest['ruleAt']): ChainDigest {
  const jumps: ChainJump[] = []
  eachPlace(lines, (place, index) => {
    const chain = lines.store.jumps[place]
    if (chain !== undefined) jumps.push({ index, chain })
  })
  let marks: number[] | undefined
  return {
    ruleCount: lines.count,
    kinds: kindsOf(lines),
    jumps,
    get marks() {
      return lines.isUnsure ? undefined : (marks ??= marksOf(lines))
    },
    ruleAt,
  }
}

function marksOf(lines: DraftLines): number[] {
  const marks: number[] = []
  eachPlace(lines, place => marks.push(lines.store.marks[place] ?? 0))
  return marks
}

function kindsOf(lines: DraftLines): readonly RuleKind[] {
  const { kinds, entries } = lines.store
  const byKind = lines.count > 1 ? new Map<LineKind, Writable<RuleKind>>() : undefined
  const found: Writable<RuleKind>[] = []
  let lastKind: LineKind | undefined
  let last: Writable<RuleKind> | undefined
  eachPlace(lines, (place, index) => {
    const kind = kinds[place]
    if (last === undefined || kind === undefined || kind !== lastKind) {
      const known = kind && byKind?.get(kind)
      last = known ?? { sample: sampleOf(kind, entries[place]), first: index, last: index }
      if (!known) found.push(last)
      if (!known && kind) byKind?.set(kind, last)
      lastKind = kind
    }
    last.last = index
  })
  return found
}

function sampleOf(kind: LineKind | undefined, entry: Rule | number | undefined): Rule {
  const sample = kind?.sample ?? (typeof entry === 'number' ? undefined : entry)
  invariant(sample, 'a line without a rule is of a known kind')
  return sample
}
