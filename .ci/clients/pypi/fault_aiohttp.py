import asyncio

import aiohttp

from fault_call import Seen, body, headers, method, sent_headers, timeout, url, warm

seen = Seen()


async def call():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session:
        if warm:
            async with session.get(warm, headers=headers) as answer:
                await answer.read()
        async with session.request(method, url, headers=sent_headers, data=body) as answer:
            seen.head(answer.status)
            seen.body(await answer.read())
            seen.value(await answer.json())


try:
    asyncio.run(call())
    seen.end()
except Exception as error:
    seen.end(error)
