/** All rules over one ruleset: findings with fingerprints, in the order of their places, without those that are suppressed. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import { findDead } from '../analyze/dead.ts'
import { byPlace } from '../extensions/check-ruleset.ts'
import { isAdopted } from './adopt.ts'
import { CHECK_CODES } from './check-codes.ts'
import { chainFacts } from './chain-facts.ts'
import { fingerprintsOf } from './fingerprint.ts'
import type { Level, LintFinding, LintInputs, LintRule, LintSurroundings, LintTarget, Need } from './lint-rule.ts'
import { RULES } from './registry.ts'
import { isWrittenByEngine } from './run-time-chains.ts'
import { applySuppressions, readSuppressions } from './suppressions.ts'
import { worldOf } from './world.ts'

/** A diagnostic that can be told again. `fingerprint` are 16 hex digits. */
export interface Finding extends Diagnostic {
  readonly fingerprint: string
}

/** What the linter has to say about one ruleset. */
export interface LintResult {
  readonly findings: readonly Finding[]
  readonly suppressed: readonly Finding[]
  /** What was too big to be decided, as ends of a sentence. */
  readonly undecided: readonly string[]
}

/** How to lint: `levelOf` is the configured level of a code, undefined where it has none. */
export interface LintOptions {
  readonly surroundings: LintSurroundings
  readonly levelOf?: (code: string) => Level | undefined
  /** Leaves only these rules on; all where it is absent. */
  readonly only?: readonly string[]
}

/** Lints one ruleset that was read. */
export function lintRuleset(target: LintTarget, { surroundings, levelOf = () => undefined, only }: LintOptions): LintResult {
  const isOn = (code: string): boolean => levelOf(code) !== 'off' && (only === undefined || only.includes(code))
  const undecided: string[] = []
  const inputs = makeInputs(target, surroundings, undecided)
  const own: Diagnostic[] = target.problems.filter(problem => !isAdopted(problem, RULES) && isOn(problem.code))
  for (const rule of RULES) if (isOn(rule.id) && !(rule.isOnDemand && levelOf(rule.id) === undefined && only === undefined) && rule.needs.every(need => isThere(need, inputs))) runRule(rule, inputs, own)
  const { kept, suppressed, about } = applySuppressions(withoutImplied(own), target.sources.flatMap(readSuppressions), surroundings.today, isKnownCode)
  const atLevel = (diagnostic: Diagnostic): Diagnostic => {
    const level = levelOf(diagnostic.code)
    return level === undefined || level === 'off' ? diagnostic : { ...diagnostic, severity: level }
  }
  const findings = [...kept, ...about.filter(({ code }) => isOn(code))].sort(byPlace).map(atLevel)
  const finished = withFingerprints([...findings, ...suppressed.map(atLevel)], target.ruleset)
  return { findings: finished.slice(0, findings.length), suppressed: finished.slice(findings.length), undecided }
}

/** Most reports show no fingerprint: all are made when the first one is asked for. */
function withFingerprints(diagnostics: readonly Diagnostic[], ruleset: Ruleset): readonly Finding[] {
  let made: readonly string[] | undefined
  return diagnostics.map((diagnostic, index) => ({
    ...diagnostic,
    get fingerprint() {
      made ??= fingerprintsOf(diagnostics, ruleset)
      return made[index] ?? ''
    },
  }))
}

function isKnownCode(code: string): boolean {
  return RULES.some(rule => rule.id === code) || Object.hasOwn(CHECK_CODES, code)
}

function runRule(rule: LintRule, inputs: LintInputs, found: Diagnostic[]): void {
  rule.check(inputs, (finding: LintFinding) => {
    const { span, message = rule.what, severity = rule.severity, related = [], why = rule.why, help = rule.help, witness, fix } = finding
    found.push({ code: rule.id, severity, message, span, related, why, ...(help === undefined ? {} : { help }), ...(witness === undefined ? {} : { witness }), ...(fix === undefined ? {} : { fix }) })
  })
}

function isThere(need: Need, { ruleset, topology, counterpart, keepOpen, chains }: LintInputs): boolean {
  switch (need) {
    case 'whole':
      return !ruleset.partial && !chains.hasLoop
    case 'topology':
      return topology !== undefined
    case 'counterpart':
      return counterpart !== undefined && !counterpart.ruleset.partial
    case 'keepOpen':
      return keepOpen.length > 0
    default:
      return true
  }
}

/** Of longer tables `5x5 dead` tells which rules are redundant: it takes its time. */
const MOST_FOR_REDUNDANT = 5000

/** Nodes of sets for what one table leaves to another, some tenths of a second; `5x5 dead` spends more on it. */
const MOST_ACROSS = 250_000

/** What is computed is computed when it is first asked for. */
function makeInputs(target: LintTarget, surroundings: LintSurroundings, undecided: string[]): LintInputs {
  const once = <T>(make: () => T): (() => T) => {
    let made: { readonly value: T } | undefined
    return () => (made ??= { value: make() }).value
  }
  const chains = once(() => chainFacts(target.ruleset))
  const dead = once(() => {
    const namespace = surroundings.topology?.namespaces[0]
    const report = findDead(target.ruleset, { mostForRedundant: MOST_FOR_REDUNDANT, mostAcross: MOST_ACROSS, isAskedAcross: ({ chain }) => !isWrittenByEngine(chain), ...(namespace ? { namespace } : {}) })
    undecided.push(...report.undecided)
    return report
  })
  const world = once(() => worldOf(target.ruleset, surroundings.topology))
  return {
    ...target, ...surroundings,
    get chains() { return chains() },
    get world() { return world() },
    get dead() { return dead() },
  }
}

/** A rule that no packet meets is that, whatever it would do. */
const UNMET = ['shadowed-rule', 'never-matching-rule', 'never-arrives', 'log-after-verdict'] as const

/** Of two findings in one line, of which one says why the other is so, only that one is kept. */
const IMPLIED_BY: Readonly<Record<string, readonly string[]>> = {
  'rule-after-final-verdict': ['log-after-verdict'],
  'empty-chain': ['unused-chain'],
  'chain-always-returns': ['unused-chain'],
  'shadowed-rule': ['duplicate-rule', 'log-after-verdict'],
  'shadowed-with-other-verdict': ['duplicate-rule'],
  'snat-shadows-later': ['duplicate-rule'],
  'never-matching-rule': ['icmp-type-in-ip6', 'in-device-never-set', 'expired-rule', 'misplaced-device'],
  'log-without-limit': UNMET,
  'limit-without-drop': UNMET,
  'redundant-rule': ['duplicate-rule'],
  'published-port-in-forward': ['never-arrives', 'never-matching-rule', 'shadowed-rule', 'shadowed-with-other-verdict', 'duplicate-rule'],
}

const IMPLYING: ReadonlySet<string> = new Set(Object.values(IMPLIED_BY).flat())

function withoutImplied(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const placeOf = (code: string, { span }: Diagnostic): string => `${code} ${span.source.path} ${lineOf(span)}`
  const places = new Set(found.filter(({ code }) => IMPLYING.has(code)).map(one => placeOf(one.code, one)))
  if (places.size === 0) return found
  return found.filter(one => !(IMPLIED_BY[one.code] ?? []).some(other => places.has(placeOf(other, one))))
}
