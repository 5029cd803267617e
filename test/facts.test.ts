/**
 * Facts about the kernel, as fixtures/facts/: hand-written cases with what Linux 6.18 did under iptables-legacy and, where it
 * differs, under iptables-nft. The simulator must answer the same through `5x5 simulate --jsonl`.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answerLine } from '../cli/simulate/answer-request.ts'
import { isObject } from '../cli/simulate/packet-json.ts'
import type { Backend } from '../src/ir/hooks.ts'

const FOLDER = 'fixtures/facts'

interface FactFile {
  readonly fact: string
  readonly cases: readonly { readonly request: object; readonly nftRequest?: object; readonly legacy: readonly Flow[]; readonly nft?: readonly Flow[] }[]
}

interface Flow {
  readonly packets: readonly object[]
  readonly conntrack: readonly object[]
  /** Ports that the kernel drew by lot. */
  readonly fuzzyPorts: readonly number[]
  /** Where the packets' own ways are not told apart. */
  readonly counters?: object
}

const facts = readdirSync(FOLDER).filter(file => file.endsWith('.json')).map(file => ({ name: file.replace('.json', ''), ...(JSON.parse(readFileSync(`${FOLDER}/${file}`, 'utf8')) as FactFile) }))

describe.each(['legacy', 'nft'] as const)('facts, %s', backend => {
  for (const { name, cases } of facts) {
    test(name, () => {
      for (const one of cases) {
        const request = backend === 'nft' ? (one.nftRequest ?? one.request) : one.request
        expectSame(backend === 'nft' ? (one.nft ?? one.legacy) : one.legacy, answersTo(request, backend))
      }
    })
  }
})

function answersTo(request: object, backend: Backend): readonly Flow[] {
  const answer = JSON.parse(answerLine(JSON.stringify(request), backend)) as { readonly load: string; readonly error?: string; readonly flows: readonly Flow[] }
  expect(answer.error ?? answer.load).toBe('ok')
  return answer.flows
}

function expectSame(truth: readonly Flow[], answers: readonly Flow[]): void {
  expect(answers.length).toBe(truth.length)
  for (const [index, flow] of truth.entries()) {
    const answer = answers[index]
    expect(likeTruth(flow.packets, answer?.packets, flow.fuzzyPorts)).toEqual(flow.packets)
    if (flow.counters) expect(answer?.counters).toEqual(flow.counters)
    expect(likeTruth(inOrder(flow.conntrack), inOrder(answer?.conntrack ?? []), flow.fuzzyPorts)).toEqual(inOrder(flow.conntrack))
  }
}

function inOrder(entries: readonly object[]): readonly object[] {
  const key = (entry: object): string => JSON.stringify(isObject(entry) && isObject(entry['orig']) ? Object.entries(entry['orig']).sort() : entry)
  return [...entries].sort((one, other) => (key(one) < key(other) ? -1 : 1))
}

/** The answer with only what the recording has: its keys, and its choice where the kernel drew a port by lot. */
function likeTruth(truth: unknown, answer: unknown, fuzzy: readonly number[]): unknown {
  if (Array.isArray(truth) && Array.isArray(answer)) return answer.map((item, index) => likeTruth(truth[index], item, fuzzy))
  if (isObject(truth) && isObject(answer)) return Object.fromEntries(Object.entries(truth).map(([key, value]) => [key, likeTruth(value, answer[key] ?? absent(value), fuzzy)]))
  return typeof truth === 'number' && fuzzy.includes(truth) ? truth : answer
}

/** A field that an answer leaves out is empty. */
function absent(value: unknown): unknown {
  return Array.isArray(value) ? [] : value === 0 || value === false ? value : undefined
}
