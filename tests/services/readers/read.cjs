// Prints the sheets (or the one table) of a file as JSON, as one of these programs reads it: {name: rows}.
const fs = require("fs");
const [path, program] = process.argv.slice(2);
const data = fs.readFileSync(path);

async function exceljs() {
  const { Workbook } = require("exceljs");
  const book = await new Workbook().xlsx.load(data);
  const found = {};
  for (const sheet of book.worksheets) {
    const rows = Array.from({ length: sheet.rowCount }, (_, index) => sheet.getRow(index + 1));
    found[sheet.name] = rows.map((row) => Array.from({ length: sheet.columnCount }, (_, i) => row.getCell(i + 1).value));
  }
  return found;
}

async function readExcelFile() {
  const { default: read, readSheetNames } = require("read-excel-file/node");
  const found = {};
  for (const name of await readSheetNames(path)) found[name] = await read(path, { sheet: name, trim: false });
  return found;
}

async function xlsxPopulate() {
  const book = await require("xlsx-populate").fromDataAsync(data);
  return Object.fromEntries(book.sheets().map((sheet) => [sheet.name(), sheet.usedRange().value()]));
}

function sheetjs() {
  const XLSX = require("xlsx");
  const book = XLSX.read(data, { cellFormula: true });
  const found = {};
  for (const name of book.SheetNames) {
    const sheet = book.Sheets[name];
    const cells = Object.entries(sheet).filter(([place]) => !place.startsWith("!"));
    if (cells.some(([, cell]) => cell.f !== undefined)) throw new Error(`${name} holds a formula`);
    found[name] = XLSX.utils.sheet_to_json(sheet, { header: 1, raw: true, defval: null, blankrows: true });
  }
  return found;
}

function table(delimiter) {
  const Papa = require("papaparse");
  const { data: rows, errors } = Papa.parse(data.toString("utf8"), { delimiter, newline: "\r\n" });
  if (errors.length) throw new Error(JSON.stringify(errors));
  return { table: rows.slice(0, -1) };
}

const readers = {
  exceljs,
  "read-excel-file": readExcelFile,
  "xlsx-populate": xlsxPopulate,
  sheetjs,
  csv: () => table(","),
  tsv: () => table("\t"),
};
(async () => process.stdout.write(JSON.stringify(await readers[program]())))();
