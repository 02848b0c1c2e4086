// Loaded before the contract: Zod compiles schemas where it may, which the page's Content-Security-Policy forbids.

import { z } from 'zod'

z.config({ jitless: true })
