/** Our end of the wires: a process in the outside namespace that sends and receives frames in vxlan datagrams (RFC 7348). */

import { spawn } from 'node:child_process'
import { TUNNEL } from './lab.ts'
import type { Lab } from './lab.ts'
import { machineEnvironment } from './machine.ts'

/** The wires while they are held. */
export interface Wires {
  readonly send: (wire: number, frame: Uint8Array) => void
  /** Returns the frames that came since the last call, and forgets them. */
  readonly take: () => readonly WireFrame[]
  readonly close: () => void
}

/** A frame that a namespace sent. */
export interface WireFrame {
  readonly wire: number
  readonly bytes: Uint8Array
}

/** Standard input and output carry lines `WIRE HEX`. No TypeScript: it runs by `node -e`. */
const PROGRAM = `
const [port, theirs] = process.argv.slice(1)
const socket = require('dgram').createSocket('udp4')
socket.on('message', m => process.stdout.write(m.readUIntBE(4, 3) + ' ' + m.subarray(8).toString('hex') + '\\n'))
let rest = ''
socket.bind(Number(port), () => {
  socket.setRecvBufferSize(1 << 20)
  process.stdout.write('ready\\n')
  process.stdin.setEncoding('utf8').on('data', chunk => {
    const lines = (rest + chunk).split('\\n')
    rest = lines.pop()
    for (const line of lines) {
      const [wire, hex] = line.split(' ')
      const head = Buffer.alloc(8)
      head[0] = 8
      head.writeUIntBE(Number(wire), 4, 3)
      socket.send(Buffer.concat([head, Buffer.from(hex, 'hex')]), Number(port), theirs)
    }
  }).on('end', () => process.exit(0))
})`

/** Takes the wires of a lab. */
export async function holdWires(lab: Lab): Promise<Wires> {
  const child = spawn('ip', ['netns', 'exec', lab.outside, process.execPath, '-e', PROGRAM, String(TUNNEL.port), TUNNEL.theirs], { stdio: ['pipe', 'pipe', 'inherit'], env: machineEnvironment() })
  const frames: WireFrame[] = []
  let rest = ''
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new Error('the wires cannot be held')))
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [wire = '', hex = ''] = line.split(' ')
        if (wire === 'ready') resolve()
        else frames.push({ wire: Number(wire), bytes: Uint8Array.from(Buffer.from(hex, 'hex')) })
      }
    })
  })
  return {
    send: (wire, frame) => void child.stdin.write(`${wire} ${Buffer.from(frame).toString('hex')}\n`),
    take: () => frames.splice(0),
    close: () => void child.kill(),
  }
}
