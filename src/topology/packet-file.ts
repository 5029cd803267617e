/**
 * Files of packets, as `5x5 witness` writes them and `trace --packets` takes them. Blank lines divide them into flows, each with a world of its own:
 *
 *     # why
 *     host {devices: {eth0: [192.0.2.1/32]}, routes: [default dev eth0]}
 *     if -m string --string "x" --algo bm
 *     eth0 udp 198.51.100.7:40000 > 192.0.2.1:53
 *     reply
 *
 * `host` is the host of one flow, where another one than the rules make likely is meant; `if` says what matches of what headers do not decide, `unless` what does not.
 */

import { readHostLine } from './host-line.ts'
import type { Topology } from './topology.ts'

/** Packets that are sent one after the other, in the packet notation. */
export interface PacketFlow {
  /** What its comments say, without `#`. */
  readonly comments: readonly string[]
  readonly host: Topology | undefined
  /** Free variables by their keys. */
  readonly conditions: ReadonlyMap<string, boolean>
  readonly packets: readonly string[]
}

/** A line that cannot be read; 1-based. */
export interface PacketFileProblem {
  readonly line: number
  readonly message: string
}

/** Flows, and what is wrong with the file. Packets themselves are not read here. */
export interface PacketFile {
  readonly flows: readonly PacketFlow[]
  readonly problems: readonly PacketFileProblem[]
}

/** Reads a file. */
export function readPacketFile(text: string): PacketFile {
  const flows: PacketFlow[] = []
  const problems: PacketFileProblem[] = []
  let lines: { readonly text: string; readonly line: number }[] = []
  const close = (): void => {
    const flow = flowOf(lines, problems)
    if (flow.packets.length > 0) flows.push(flow)
    lines = []
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') close()
    else lines.push({ text: line.trim(), line: index + 1 })
  }
  close()
  return { flows, problems }
}

function flowOf(lines: readonly { readonly text: string; readonly line: number }[], problems: PacketFileProblem[]): PacketFlow {
  const after = (word: string): readonly { readonly text: string; readonly line: number }[] => lines.flatMap(({ text, line }) => (text.startsWith(word) ? [{ text: text.slice(word.length).trim(), line }] : []))
  const hosts = after('host ').flatMap(({ text, line }) => {
    const read = readHostLine(text)
    if (typeof read !== 'string') return [read]
    problems.push({ line, message: read })
    return []
  })
  return { comments: after('#').map(one => one.text), host: hosts.at(-1), conditions: new Map([...after('if ').map(one => [one.text, true] as const), ...after('unless ').map(one => [one.text, false] as const)]), packets: lines.flatMap(({ text }) => (/^(#|host |if |unless )/.test(text) ? [] : [text])) }
}
