import { expect, test } from 'vitest';
import { settingsPage } from './settings-page.ts';

test('docs/settings.md is what the tables say (npx vitest run -u test/config writes it anew)', async () => {
  await expect(settingsPage()).toMatchFileSnapshot('../../docs/settings.md');
});
