/** A policy as an editor sees it: what is wrong with it, where its names are, what a place in it means. */

import { KEYWORDS, Name, PLACED_WORDS, splitPolicy } from '../../grammar/policy-tokens.ts'
import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import { textOf } from '../diagnostics/source-file.ts'
import { writePrefix } from '../net/address.ts'
import { savedProtocolName } from '../net/protocol.ts'
import type { LetNode, PolicyFile, ServiceNode, StatementNode, ZoneNode } from './ast.ts'
import { writeHead } from './head-words.ts'
import { compilePolicy } from './compile.ts'
import type { CompiledPolicy } from './compile.ts'
import type { CompiledRule } from './compiled.ts'
import { collectNames } from './names.ts'
import type { Names } from './names.ts'
import { nameUses } from './name-uses.ts'
import type { NameUse } from './name-uses.ts'
import { readServices } from './read-services.ts'
import { resolvePolicy } from './resolve.ts'
import type { ReadInclude } from './resolve.ts'
import type { Traffic } from './resolved.ts'

/** A policy with what it includes. `compiled` is absent where the text has errors. */
export interface StudiedPolicy {
  readonly files: readonly PolicyFile[]
  readonly compiled?: CompiledPolicy
  readonly diagnostics: readonly Diagnostic[]
  readonly names: Names
  readonly uses: readonly NameUse[]
}

/** What a place means, in Markdown, and how far that holds. */
export interface Meaning {
  readonly text: string
  readonly span: Span
}

/** Studies a policy. Never throws. */
export function studyPolicy(source: SourceFile, readInclude: ReadInclude): StudiedPolicy {
  const { files, value, diagnostics } = resolvePolicy(source, readInclude)
  const statements = files.flatMap(file => file.statements)
  const names = collectNames(only(statements, 'let'), only(statements, 'zone'), () => undefined)
  const uses = files.flatMap(nameUses)
  if (!value) return { files, diagnostics, names, uses }
  const compiled = compilePolicy(value)
  return { files, compiled, diagnostics: [...diagnostics, ...compiled.diagnostics], names, uses }
}

function only<K extends 'let' | 'zone'>(statements: readonly StatementNode[], kind: K): readonly Extract<StatementNode, { kind: K }>[] {
  return statements.filter((one): one is Extract<StatementNode, { kind: K }> => one.kind === kind)
}

/** Returns the name at an offset; undefined where none stands. */
export function nameAt({ uses }: StudiedPolicy, path: string, offset: number): NameUse | undefined {
  return uses.find(({ span }) => span.source.path === path && span.start <= offset && offset <= span.end)
}

/** Returns where a name is defined; undefined where no sentence does. */
export function definitionOf({ names }: StudiedPolicy, name: string): Span | undefined {
  return names.definitions.get(name)?.span
}

/** Returns all places of a name that the policy defines, its definition among them. */
export function usesOf(studied: StudiedPolicy, name: string): readonly NameUse[] {
  return definitionOf(studied, name) ? studied.uses.filter(one => one.name === name) : []
}

/** Returns why a name cannot be renamed so; undefined where it can. */
export function renameProblem(studied: StudiedPolicy, name: string, newName: string): string | undefined {
  const { tokens, problems } = splitPolicy(newName)
  const [token] = tokens
  if (KEYWORDS.some(word => word === newName)) return `\`${newName}\` is a word of the language and cannot be a name`
  const isName = tokens.length === 1 && problems.length === 0 && token?.image === newName && (token.tokenType === Name || PLACED_WORDS.some(word => word === newName))
  if (!isName) return `\`${newName}\` is no name: letters, digits, \`_\`, \`-\` and \`.\`, a letter first`
  return newName !== name && definitionOf(studied, newName) ? `\`${newName}\` is defined already` : undefined
}

/** Returns what stands at an offset: a name's meaning, elsewhere the rules that the sentence becomes. */
export function meaningAt(studied: StudiedPolicy, path: string, offset: number): Meaning | undefined {
  const name = nameAt(studied, path, offset)
  const text = name && meaningOfName(studied, name.name)
  return name && text !== undefined ? { text, span: name.span } : rulesAt(studied, path, offset)
}

function meaningOfName({ files, names }: StudiedPolicy, name: string): string | undefined {
  const node = files.flatMap(file => file.statements).find((one): one is LetNode | ZoneNode => (one.kind === 'let' || one.kind === 'zone') && one.name.text === name)
  if (node?.kind === 'zone') return code(textOf(node.span))
  const list = names.list(name)
  if (node && list?.kind === 'addresses') return `${code(textOf(node.span))}\n${counted(list.prefixes.length, 'prefix', 'prefixes')}: ${some(list.prefixes.map(writePrefix))}`
  const services: readonly ServiceNode[] = list?.kind === 'services' ? list.services : [{ kind: 'service', published: false, name: { kind: 'word', text: name, span: NOWHERE }, span: NOWHERE }]
  const traffic = readServices({ kind: 'services', included: services, excluded: [], span: NOWHERE }, () => undefined, () => undefined)
  if (!traffic) return node && code(textOf(node.span))
  return node ? `${code(textOf(node.span))}\n${some(traffic.map(writeTraffic))}` : `service \`${name}\`: ${some(traffic.map(writeTraffic))}`
}

const NOWHERE: Span = { source: { path: '', text: '' }, start: 0, end: 0 }

function writeTraffic({ protocol, ports, messages, families }: Traffic): string {
  const name = savedProtocolName(protocol) ?? `protocol ${protocol}`
  if (messages) return `${families[0] === 'ipv4' ? 'ICMP' : 'ICMPv6'} ${messages.length === 1 ? 'type' : 'types'} ${messages.map(({ type }) => type).join(', ')}`
  return ports ? `${name}/${ports.map(({ low, high }) => (low === high ? String(low) : `${low}-${high}`)).join(',')}` : name
}

/** The sentence's own rules; those that every policy begins with come from no line. */
function rulesAt({ compiled, files }: StudiedPolicy, path: string, offset: number): Meaning | undefined {
  const file = files.find(({ source }) => source.path === path)
  const lines = file?.statements.flatMap((one): readonly { readonly span: Span }[] => (one.kind === 'block' ? one.rules : one.kind === 'test' ? one.asserts : [one])) ?? []
  const span = lines.find(line => line.span.start <= offset && offset <= line.span.end)?.span
  if (!span || !compiled) return undefined
  const isOurs = (rule: CompiledRule): boolean => rule.span.source.path === path && rule.span.start === span.start && rule.span.end === span.end
  const parts = ([['IPv4', compiled.rules.ipv4], ['IPv6', compiled.rules.ipv6]] as const).flatMap(([name, { chains, hooks }]) => {
    const rules = [...hooks.map(({ table, chain, rule }) => ({ table, chain, rule })), ...chains.flatMap(({ table, name: chain, rules: all }) => all.map(rule => ({ table, chain, rule })))].filter(({ rule }) => isOurs(rule))
    const shown = rules.slice(0, MOST).map(({ table, chain, rule }) => `${table === 'filter' ? '' : `-t ${table} `}-A ${chain} ${writeHead(rule.head, rule.guards)}${rule.target}`)
    return rules.length === 0 ? [] : [`${name}, ${counted(rules.length, 'rule', 'rules')}:\n${code(shown.concat(rules.length > MOST ? ['...'] : []).join('\n'))}`]
  })
  return parts.length === 0 ? undefined : { text: parts.join('\n'), span }
}

const MOST = 20

function some(words: readonly string[]): string {
  return words.length > MOST ? `${words.slice(0, MOST).join(', ')}, ...` : words.join(', ')
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}

function code(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``
}
