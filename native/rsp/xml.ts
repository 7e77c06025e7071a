/**
 * XML text for the documents that gdb reads (pure).
 */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Control characters cannot be written in XML 1.0 at all; they become `?`. */
export function escapeXml(text: string): string {
  return text
    .replace(/\p{Cc}/gu, (found) => ('\t\n\r'.includes(found) ? found : '?'))
    .replace(/[&<>"']/g, (found) => ENTITIES[found]);
}
