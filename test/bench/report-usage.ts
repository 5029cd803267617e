/** Loaded before a program (`node --import`): when the program ends, what it took is written to the file that USAGE_FILE names. */

import { writeFileSync } from 'node:fs'

/** What a process took. */
export interface Usage {
  /** Seconds of processor time, of the user and of the system together. */
  readonly processor: number
  /** The most memory that it held at once, in megabytes of 10^6 bytes. */
  readonly megabytes: number
}

const file = process.env['USAGE_FILE']
if (file !== undefined) process.on('exit', () => writeFileSync(file, JSON.stringify(usageOf(process.resourceUsage()))))

function usageOf({ userCPUTime, systemCPUTime, maxRSS }: NodeJS.ResourceUsage): Usage {
  return { processor: (userCPUTime + systemCPUTime) / 1e6, megabytes: (maxRSS * 1024) / 1e6 }
}
