/** Packets that a host makes itself: real sockets in its namespace, held until the flow is over. */

import { spawn } from 'node:child_process'
import { writeAddress } from '../../src/net/address.ts'
import { PROTOCOL } from '../../src/net/protocol.ts'
import { TCP_FLAG } from '../../src/packet/packet.ts'
import type { Packet } from '../../src/packet/packet.ts'
import type { Probe } from '../../src/packet/probe.ts'
import { machineEnvironment } from './machine.ts'

/** A socket that sent its packet; `close` ends it without another one. */
export interface Sender {
  readonly close: () => void
}

/** No TypeScript: it runs by `node -e`. A socket with an owner gives up root first. It says `sent` when the kernel has the packet. */
const PROGRAM = `
const task = JSON.parse(process.argv[1])
const say = () => process.stdout.write('sent\\n')
process.stdin.on('end', () => process.exit(0)).resume()
if (task.gid) process.setgid(task.gid)
if (task.uid) process.setuid(task.uid)
if (task.udp) {
  const socket = require('dgram').createSocket(task.v6 ? 'udp6' : 'udp4')
  socket.on('error', say)
  socket.bind(task.sport, task.src, () => { try { socket.setTTL(task.ttl) } catch {} socket.send(Buffer.alloc(task.bytes, 65), task.dport, task.dst, say) })
} else {
  const socket = require('net').connect({ host: task.dst, port: task.dport, localAddress: task.src, localPort: task.sport })
  socket.on('error', () => {})
  setTimeout(say, 5)
}`

/** Tells whether a packet can be sent: what arrives can be anything that a frame says; what a host makes itself must be of a UDP socket or the first of a TCP one. */
export function canSend({ inDevice, packet }: Probe): boolean {
  if (inDevice !== undefined) return packet.protocol !== PROTOCOL.sctp && packet.protocol !== PROTOCOL.dccp
  if (packet.mark !== 0 || packet.tos !== 0 || packet.packetType !== 'unicast') return false
  if (packet.protocol === PROTOCOL.udp) return true
  return packet.protocol === PROTOCOL.tcp && packet.tcp?.flags === TCP_FLAG.SYN && packet.ttl === 64
}

/** Returns a packet as the socket of a fresh namespace makes it. Source: net/ipv4/tcp_output.c tcp_syn_options(). */
export function asSocketSends(packet: Packet, mtu: number): Packet {
  const header = packet.family === 'ipv4' ? 20 : 40
  if (!packet.tcp) return { ...packet, dontFragment: packet.family === 'ipv4' }
  const mss = mtu - header - 20
  return { ...packet, dontFragment: packet.family === 'ipv4', length: header + 40, payload: new Uint8Array(), tcp: { ...packet.tcp, window: 64_240, mss, optionKinds: [2, 4, 8, 3] } }
}

/** Sends from a namespace of the machine. */
export async function sendFromSocket(namespace: string, packet: Packet): Promise<Sender> {
  const task = {
    udp: packet.protocol === PROTOCOL.udp, v6: packet.family === 'ipv6', src: writeAddress(packet.src), dst: writeAddress(packet.dst), sport: packet.sport, dport: packet.dport,
    bytes: packet.payload?.length ?? 0, ttl: packet.ttl, uid: packet.socket?.uid ?? 0, gid: packet.socket?.gid ?? 0,
  }
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', PROGRAM, JSON.stringify(task)], { stdio: ['pipe', 'pipe', 'ignore'], env: machineEnvironment() })
  await new Promise<void>(resolve => {
    child.stdout.once('data', () => resolve())
    child.once('close', () => resolve())
    setTimeout(resolve, 3000).unref()
  })
  return { close: () => void child.kill('SIGKILL') }
}
