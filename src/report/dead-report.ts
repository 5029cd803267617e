/** What does nothing in a ruleset, as diagnostics. */

import { acrossInWords } from '../analyze/across-words.ts'
import type { DeadFinding } from '../analyze/dead.ts'
import type { RuleRef } from '../analyze/rule-reach.ts'
import { assertNever } from '../diagnostics/diagnostic.ts'
import type { Diagnostic, RelatedPlace } from '../diagnostics/diagnostic.ts'
import { lineOf } from '../diagnostics/source-file.ts'
import type { Chain } from '../ir/ruleset.ts'
import { listInWords } from '../meaning/values-in-words.ts'
import type { Family } from '../net/address.ts'

/** More places than this are counted, not shown. */
const SHOWN = 4

/** Returns the diagnostic of a finding; undefined for a chain that the text does not declare. */
export function deadDiagnostic(finding: DeadFinding, family: Family): Diagnostic | undefined {
  switch (finding.kind) {
    case 'contradiction':
      return about(finding.at, 'never-matches', 'this rule can never match: its conditions exclude each other', [], 'remove it, or correct the condition that is wrong')
    case 'misplaced':
      return about(finding.at, 'never-matches', `this rule can never match: no packet in ${finding.at.chain.name} is like that`, related(finding.brings, 'what jumps to the chain lets no such packet in'), 'remove it, or move it to where such packets pass')
    case 'shadowed': {
      const first = finding.blame?.rules[0]
      return about(finding.at, 'shadowed-rule', first ? 'this rule can never match: other rules decide first' : 'this rule can never match: other rules decide or rewrite its packets first', blamed(finding), first ? `remove it, or move it above line ${lineOf(first.rule.span)}` : 'remove it, or move it before the rules that decide')
    }
    case 'redundant':
      return { ...about(finding.at, 'redundant-rule', `this rule changes nothing: without it its packets are ${fateInWords(finding.fate)} all the same`, instead(finding), 'remove it'), severity: 'note' }
    case 'acrossTables': {
      const { message, help, related: places } = acrossInWords(finding, family)
      return about(finding.at, 'never-arrives', message, places, help)
    }
    case 'unreachableChain':
      return unreachable(finding.chain, finding.jumps)
    case 'unusedPolicy':
      return unused(finding.chain, finding.by)
    default:
      return assertNever(finding)
  }
}

function about(at: RuleRef, code: Diagnostic['code'], message: string, places: readonly RelatedPlace[], help: string): Diagnostic {
  return { code, severity: 'warning', span: at.rule.span, message, help, related: places }
}

function blamed({ blame }: Extract<DeadFinding, { kind: 'shadowed' }>): readonly RelatedPlace[] {
  const rules = blame?.rules ?? []
  const lines = rules.map(({ rule }) => lineOf(rule.span))
  if (rules.length > SHOWN) return related(rules, `${rules.length} rules together decide every packet that it would match`)
  const who = lines.length === 1 ? `line ${lines[0]} decides` : `lines ${listInWords(lines.map(String), 'and')} together decide`
  return related(rules, `${who} every packet that it would match`)
}

function instead({ instead: rules, policyOf }: Extract<DeadFinding, { kind: 'redundant' }>): readonly RelatedPlace[] {
  const lines = rules.map(({ rule }) => `line ${lineOf(rule.span)}`)
  const who = [...lines, ...(policyOf ? [`the chain policy of ${policyOf.name}`] : [])]
  if (who.length === 0) return []
  const message = `${listInWords(who, 'and')} ${who.length === 1 ? 'does' : 'do'} the same`
  return rules.length > 0 ? related(rules, message) : policyOf?.span ? [{ span: policyOf.span, message }] : []
}

/** The first place has the message; the others are shown below it. */
function related(rules: readonly RuleRef[], message: string): readonly RelatedPlace[] {
  return rules.slice(0, SHOWN).map(({ rule }, index) => ({ span: rule.span, message: index === 0 ? message : '' }))
}

function fateInWords(fate: string): string {
  return fate === 'accept' ? 'accepted' : fate === 'drop' ? 'dropped' : fate.includes('"reject"') ? 'rejected' : 'treated'
}

function unreachable(chain: Chain, jumps: readonly RuleRef[]): Diagnostic | undefined {
  if (!chain.span) return undefined
  const message = jumps.length === 0 ? `no packet comes to chain \`${chain.name}\`: no rule jumps to it` : `no packet comes to chain \`${chain.name}\`: what jumps to it can never match`
  return { code: 'unreachable-chain', severity: 'warning', span: chain.span, message, help: 'remove it with its rules, or jump to it', related: related(jumps, jumps.length === 1 ? 'this is the only jump to it' : 'these jump to it') }
}

function unused(chain: Chain, by: RuleRef | undefined): Diagnostic | undefined {
  if (!chain.span) return undefined
  return { code: 'unused-policy', severity: 'note', span: chain.span, message: `the chain policy of ${chain.name} decides nothing: rules decide every packet before`, related: by ? related([by], `line ${lineOf(by.rule.span)} is the last that packets come to`) : [] }
}
