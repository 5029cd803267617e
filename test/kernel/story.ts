/** The stories of fixtures/stories/: a topology, then after `---` steps of changes and attempts with what each attempt should be told. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { readAddress } from '../../src/net/address.ts'
import type { Attempt } from '../../src/simulate/attempt.ts'
import { readTopology } from '../../src/topology/load.ts'
import { namespaceNamed } from '../../src/topology/topology.ts'
import type { Topology } from '../../src/topology/topology.ts'

/** A step: commands in namespaces, or an attempt. */
export interface Step {
  readonly say?: string
  readonly do: readonly { readonly namespace: string; readonly command: string }[]
  readonly attempt?: Attempt
  /** What the attempt is told. */
  readonly expect?: string
}

/** One file of fixtures/stories/. */
export interface Story {
  readonly name: string
  readonly about: string
  readonly topology: Topology
  readonly steps: readonly Step[]
}

const FOLDER = 'fixtures/stories'

/** Reads all stories; throws where one cannot be read. */
export function readStories(): readonly Story[] {
  return readdirSync(FOLDER).filter(file => file.endsWith('.yaml')).map(file => readStory(file))
}

interface WrittenStep {
  readonly say?: string
  readonly do?: string | readonly string[]
  readonly ping?: string
  readonly connect?: string
  readonly expect?: string
}

function readStory(file: string): Story {
  const text = readFileSync(`${FOLDER}/${file}`, 'utf8')
  const at = text.indexOf('\n---\n')
  const { value: topology, diagnostics } = readTopology({ path: file, text: text.slice(0, at + 1) }, { readFile })
  const problem = diagnostics.find(({ severity }) => severity === 'error')
  if (problem) throw new Error(`story ${file}: ${problem.message}`)
  const written = parse(text.slice(at + 5)) as { story: string; steps: readonly WrittenStep[] }
  return { name: file.replace(/\.yaml$/, ''), about: written.story, topology, steps: written.steps.map(step => readStep(step, topology)) }
}

function readStep(step: WrittenStep, topology: Topology): Step {
  const commands = step.do === undefined ? [] : typeof step.do === 'string' ? [step.do] : step.do
  const attempt = step.ping === undefined ? (step.connect === undefined ? undefined : readConnect(step.connect)) : readPing(step.ping)
  return {
    ...(step.say === undefined ? {} : { say: step.say }),
    do: commands.map(line => ({ namespace: line.slice(0, line.indexOf(' ')), command: line.slice(line.indexOf(' ') + 1) })),
    ...(attempt ? { attempt: { ...attempt, namespace: namespaceNamed(topology, attempt.namespace)?.name ?? attempt.namespace } } : {}),
    ...(step.expect === undefined ? {} : { expect: step.expect }),
  }
}

/** `NAMESPACE ADDRESS [by ADDRESS|DEVICE]` */
function readPing(words: string): Attempt {
  const [namespace = '', address = '', , by] = words.split(' ')
  const source = by === undefined ? undefined : readAddress(by)
  return { kind: 'ping', namespace, destination: addressOf(address), ...(source === undefined ? {} : { source }), ...(by === undefined || source !== undefined ? {} : { device: by }) }
}

/** `NAMESPACE ADDRESS:PORT[/udp]` */
function readConnect(words: string): Attempt {
  const [, namespace = '', address = '', port = '', protocol] = /^(\S+) \[?([^\]\s]*?)\]?:(\d+)(\/udp)?$/.exec(words) ?? []
  return { kind: protocol === undefined ? 'tcp' : 'udp', namespace, destination: addressOf(address), port: Number(port) }
}

function addressOf(text: string): number | bigint {
  const address = readAddress(text)
  if (address === undefined) throw new Error(`\`${text}\` is not an address`)
  return address
}

function readFile(path: string): SourceFile | string {
  return existsSync(`${FOLDER}/${path}`) ? { path, text: readFileSync(`${FOLDER}/${path}`, 'utf8') } : 'does not exist'
}
