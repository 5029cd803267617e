/** The key `listen` in a topology file. */

import { readSocket } from './socket-text.ts'
import type { ListeningSocket } from './topology.ts'
import { complain, textOf } from '../yaml/yaml-reader.ts'
import type { YamlValue } from '../yaml/yaml-reader.ts'

/** Reads one listening socket; complains where the text is none. */
export function readSocketLine(value: YamlValue): readonly ListeningSocket[] {
  const text = textOf(value, 'a listening socket')
  if (text === undefined) return []
  const socket = readSocket(text)
  if (socket.ok) return [socket.value]
  complain(value.reader, 'bad-value', value.span, socket.problem)
  return []
}
