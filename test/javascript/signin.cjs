// Signs in at the page of ADDRESS in a real browser, as NAME with PASSWORD, after a wrong one:
//
//   node signin.cjs ADDRESS NAME PASSWORD [PICTURE]
//
// CHROMIUM is the browser. It waits until the page of the program that asked is there.
const assert = require('node:assert')
const { chromium } = require('playwright-core')

async function main([address, name, password, picture]) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true }) // its authority is made anew for each test
    const page = await context.newPage()
    const refused = []
    page.on('console', (message) => { if (message.type() === 'error') refused.push(message.text()) })
    await page.goto(address)
    const signIn = async (secret) => {
      await page.getByLabel('Name').fill(name)
      await page.getByLabel('Password', { exact: true }).fill(secret)
      if (picture) await page.screenshot({ path: picture })
      await page.getByRole('button', { name: 'Sign in' }).click()
    }
    await signIn('not ' + password)
    await page.getByRole('alert').waitFor()
    assert.strictEqual(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'a wrong password is not shown again')
    await signIn(password)
    const back = page.getByRole('button', { name: 'Back to the program' })
    await Promise.race([back.waitFor().then(() => back.click()), page.waitForURL((url) => url.protocol === 'http:')])
    await page.waitForURL((url) => url.protocol === 'http:')
    console.log(await page.title(), await page.locator('body').innerText())
    assert.deepStrictEqual(refused.filter((text) => /Content.Security.Policy/i.test(text)), [])
  } finally {
    await browser.close()
  }
}

main(process.argv.slice(2)).catch((err) => { console.error(err); process.exit(1) })
