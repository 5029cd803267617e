import type { Command } from '../command.ts'
export const trace: Command = { help: '', flags: {}, run: async () => 0 }
