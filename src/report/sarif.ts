/** Findings as SARIF 2.1.0, for code scanning. Source: OASIS Standard "Static Analysis Results Interchange Format Version 2.1.0". */

import type { Fix, RelatedPlace, Severity } from '../diagnostics/diagnostic.ts'
import { positionAt, textOf } from '../diagnostics/source-file.ts'
import type { Span } from '../diagnostics/source-file.ts'
import { describeCode } from '../lint/describe-code.ts'
import type { Finding } from '../lint/run-lint.ts'
import type { LintReport } from '../lint/lint-report.ts'
import { allFindings } from '../lint/lint-report.ts'

/** Code scanning ranks security findings by this number from 0 to 10. */
const SECURITY: Readonly<Record<Severity, string>> = { error: '8.0', warning: '5.0', note: '2.0' }
const HOME = 'https://www.npmjs.com/package/fivebyfive'

/** Returns the log: one run, its rules only those that have results. */
export function sarifReport(report: LintReport): string {
  const findings = allFindings(report)
  const codes = [...new Set(findings.map(({ code }) => code))].sort()
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [{
      tool: { driver: { name: 'fivebyfive', version: report.version, semanticVersion: report.version, informationUri: HOME, rules: codes.map(ruleOf) } },
      artifacts: report.files.map(({ source }) => ({ location: { uri: uriOf(source.path) }, sourceLanguage: 'iptables' })),
      columnKind: 'utf16CodeUnits',
      invocations: [{ executionSuccessful: true }],
      results: findings.map(finding => resultOf(finding, codes.indexOf(finding.code))),
    }],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

function ruleOf(code: Finding['code']) {
  const { what, why, severity } = describeCode(code)
  return {
    id: code,
    name: code.split('-').map(word => word.charAt(0).toUpperCase() + word.slice(1)).join(''),
    shortDescription: { text: sentence(what) },
    fullDescription: { text: sentence(`${what}: ${why}`) },
    help: { text: `${sentence(why)} 5x5 explain ${code} tells more.`, markdown: `${sentence(why)} \`5x5 explain ${code}\` tells more.` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['security', 'firewall', 'iptables'], 'security-severity': SECURITY[severity], precision: 'very-high' },
  }
}

function resultOf({ code, severity, message, why, help, span, related, witness, fix, fingerprint }: Finding, ruleIndex: number) {
  const text = [sentence(message), ...(why === undefined ? [] : [sentence(why)]), ...(help === undefined ? [] : [sentence(help)]), ...(witness ? [`For example: ${witness.packet}`] : [])].join(' ')
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text },
    locations: [locationOf({ span, message: '' })],
    ...(related.length === 0 ? {} : { relatedLocations: related.map((place, index) => ({ id: index + 1, ...locationOf(place) })) }),
    partialFingerprints: { 'fivebyfive/v1': fingerprint },
    ...(witness && witness.path.length > 0 ? { codeFlows: [{ message: { text: `The way of ${witness.packet}` }, threadFlows: [{ locations: witness.path.map(place => ({ location: locationOf(place) })) }] }] } : {}),
    ...(fix ? { fixes: [fixOf(fix)] } : {}),
  }
}

function locationOf({ span, message }: RelatedPlace) {
  return {
    physicalLocation: { artifactLocation: { uri: uriOf(span.source.path) }, region: { ...regionOf(span), ...(span.end > span.start && span.end - span.start < 2000 ? { snippet: { text: textOf(span) } } : {}) } },
    ...(message === '' ? {} : { message: { text: sentence(message) } }),
  }
}

function regionOf(span: Span) {
  const start = positionAt(span.source, span.start)
  const end = positionAt(span.source, span.end)
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column }
}

function fixOf({ message, edits }: Fix) {
  const paths = [...new Set(edits.map(({ span }) => span.source.path))]
  return {
    description: { text: sentence(message) },
    artifactChanges: paths.map(path => ({
      artifactLocation: { uri: uriOf(path) },
      replacements: edits.filter(({ span }) => span.source.path === path).map(({ span, text }) => ({ deletedRegion: regionOf(span), ...(text === '' ? {} : { insertedContent: { text } }) })),
    })),
  }
}

/** Paths become relative references, absolute ones file URIs. */
function uriOf(path: string): string {
  const encoded = path.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/')
  return encoded.startsWith('/') ? `file://${encoded}` : encoded.replace(/^(\.\/)+/, '')
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(first) ? first : `${first}.`
}
