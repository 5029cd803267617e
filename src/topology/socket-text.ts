/** Listening sockets as a topology file writes them: `tcp 0.0.0.0:80`, `udp :53`, `tcp [::]:443`. */

import { readEndpoint } from '../packet/endpoint.ts'
import type { ListeningSocket } from './topology.ts'
import type { TextReading } from './route-text.ts'

/** Reads one socket; `:80` and `80` are a port on every address. */
export function readSocket(text: string): TextReading<ListeningSocket> {
  const [protocol = '', place = '', ...rest] = text.trim().split(/\s+/)
  if (protocol !== 'tcp' && protocol !== 'udp') return problem(`\`${text}\` is no socket: it begins with \`tcp\` or \`udp\``)
  if (rest.length > 0 || place === '') return problem(`\`${text}\` is no socket: write it as \`tcp :80\` or \`udp 192.0.2.1:53\``)
  const anywhere = /^(?:\*?:)?([\w-]+)$/.exec(place)?.[1]
  const end = readEndpoint(anywhere === undefined ? place : `0.0.0.0:${anywhere}`)
  if (!end.ok) return problem(end.problem)
  const { address, port } = end.value
  if (port === undefined || port === 0) return problem(`the port is missing in \`${text}\``)
  return { ok: true, value: anywhere === undefined ? { protocol, address, port } : { protocol, port } }
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text }
}
