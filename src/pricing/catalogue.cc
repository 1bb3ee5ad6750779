// SPDX-License-Identifier: MIT
#include "pricing/catalogue.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::string_view first_line = "# sluice models 1";
constexpr std::size_t npos = std::string_view::npos;

std::string_view line_at(std::string_view text, std::size_t at) {
  return text.substr(at, text.find('\n', at) - at);
}

std::string_view key_of(std::string_view line) {
  return line.substr(0, line.find('\t'));
}

bool read_count(std::string_view text, std::optional<std::int64_t>& out) {
  if (text.empty()) return true;
  std::int64_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc() || end != text.data() + text.size() || value < 0) return false;
  out = value;
  return true;
}

Result<CatalogueRow> read_row(std::string_view line) {
  std::array<std::string_view, 7> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto tab = line.find('\t');
    if ((tab == npos) != (i + 1 == fields.size())) return fail(Fault::bad_request, "A row has seven fields.");
    fields.at(i) = line.substr(0, tab);
    line.remove_prefix(tab == npos ? line.size() : tab + 1);
  }
  const auto& [key, mode, window, answer, until, abilities, price] = fields;
  const auto slash = key.find('/');
  if (slash == npos || slash == 0 || slash + 1 == key.size())
    return fail(Fault::bad_request, "A row begins with vendor/model.");
  CatalogueRow out{.vendor = key.substr(0, slash),
                   .model = key.substr(slash + 1),
                   .mode = mode,
                   .until = until,
                   .abilities = abilities};
  if (!read_count(window, out.window) || !read_count(answer, out.answer))
    return fail(Fault::bad_request, "This is no number of tokens.");
  TRY(out.price, read_price(price));
  return out;
}

bool is_number(std::string_view text, int low, int high) {
  int value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  return bad == std::errc() && end == text.data() + text.size() && value >= low && value <= high;
}

bool is_day(std::string_view month, std::string_view day) {
  return is_number(month, 1, 12) && is_number(day, 1, 31);
}

// "-2024-08-06", "-20240806", "@20240806", "-0806" (a day), "-2408" (a month), "-latest".
bool is_version(std::string_view text) {
  if (text == "-latest") return true;
  if (text.size() == 11 && text[0] == '-' && text[5] == '-' && text[8] == '-')
    return is_number(text.substr(1, 4), 2020, 2099) && is_day(text.substr(6, 2), text.substr(9, 2));
  if (text.size() == 9 && (text[0] == '-' || text[0] == '@'))
    return is_number(text.substr(1, 4), 2020, 2099) && is_day(text.substr(5, 2), text.substr(7, 2));
  if (text.size() != 5 || text[0] != '-') return false;
  const std::string_view first = text.substr(1, 2), second = text.substr(3, 2);
  return is_day(first, second) || (is_number(first, 20, 39) && is_number(second, 1, 12));
}

// A name without its version.
std::string_view family(std::string_view key) {
  for (const std::size_t size : {11UL, 9UL, 7UL, 5UL}) {
    if (key.size() > size && is_version(key.substr(key.size() - size))) return key.substr(0, key.size() - size);
  }
  return key;
}

// What the vendor itself takes for the same name: "models/gemini-…", a fine-tuned model's base, the end of an ARN.
std::string_view bare(std::string_view model) {
  if (model.starts_with("models/")) model.remove_prefix(7);
  if (model.starts_with("ft:")) {
    if (const auto second = model.find(':', 3); second != npos) model = model.substr(0, second);
  }
  if (model.starts_with("arn:")) {
    const bool named = model.contains(":inference-profile/") || model.contains(":foundation-model/");
    if (named) model.remove_prefix(model.rfind('/') + 1);
  }
  return model;
}

// What two versions of one name cost alike: nothing, when they differ in the standard lane; without another lane in
// which they differ.
Price agreed(const Price& a, const Price& b) {
  const auto rates = [](const Price& price, Lane lane) {
    Price out;
    for (const Rate& rate : price.rates()) {
      if (rate.lane == lane) out.set(rate);
    }
    return out;
  };
  if (rates(a, Lane::standard) != rates(b, Lane::standard)) return {};
  Price out;
  for (const Rate& rate : a.rates()) {
    if (rates(a, rate.lane) == rates(b, rate.lane)) out.set(rate);
  }
  return out;
}

}  // namespace

bool CatalogueRow::can(std::string_view ability) const {
  std::string_view rest = abilities;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    if (one == ability) return true;
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return false;
}

std::string write_row(const CatalogueRow& row) {
  const auto number = [](const std::optional<std::int64_t>& count) {
    return count ? std::to_string(*count) : std::string();
  };
  std::string out = std::string(row.vendor) + '/' + std::string(row.model);
  for (const std::string& field : {std::string(row.mode), number(row.window), number(row.answer),
                                   std::string(row.until), std::string(row.abilities), write_price(row.price)}) {
    out += '\t';
    out += field;
  }
  return out;
}

const Catalogue& Catalogue::built_in() {
  static const Catalogue& one = [] -> const Catalogue& {
    static Catalogue out;
    out.look_at(built_in_models);
    return out;
  }();
  return one;
}

Result<std::shared_ptr<const Catalogue>> Catalogue::read(std::string text) {
  if (!text.starts_with(first_line) || text.substr(first_line.size(), 1) != "\n") {
    return fail(Fault::bad_request,
                "line 1: This is no table of models: it does not begin with \"" + std::string(first_line) + "\".");
  }
  if (!text.ends_with('\n')) text += '\n';
  std::shared_ptr<Catalogue> out(new Catalogue);
  out->own_ = std::move(text);
  out->look_at(out->own_);
  const auto before = std::string_view(out->own_).substr(0, out->own_.size() - out->body_.size());
  auto number = std::ranges::count(before, '\n');
  std::string_view last;
  for (std::size_t at = 0; at < out->body_.size();) {
    const std::string_view line = line_at(out->body_, at);
    at += line.size() + 1;
    const std::string place = "line " + std::to_string(++number) + ": ";
    if (auto row = read_row(line); !row) return fail(Fault::bad_request, place + row.error()->message);
    if (key_of(line) <= last && !last.empty())
      return fail(Fault::bad_request, place + "The rows are not sorted by their names.");
    if (lower(key_of(line)) != key_of(line)) return fail(Fault::bad_request, place + "Names are in lower case.");
    last = key_of(line);
  }
  return out;
}

void Catalogue::look_at(std::string_view text) {
  while (text.starts_with('#')) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  body_ = text;
}

// Where the first row stands whose key is not before `key`.
std::size_t Catalogue::first_from(std::string_view key) const {
  std::size_t low = 0, high = body_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const std::size_t begin = middle == 0 ? 0 : body_.rfind('\n', middle - 1) + 1;
    if (key_of(line_at(body_, begin)) < key) {
      low = body_.find('\n', middle) + 1;
    } else {
      high = begin;
    }
  }
  return low;
}

std::optional<CatalogueRow> Catalogue::exact(std::string_view key) const {
  const std::string_view line = line_at(body_, first_from(key));
  if (key_of(line) != key || key.empty()) return std::nullopt;
  auto row = read_row(line);
  return row ? std::optional(*std::move(row)) : std::nullopt;
}

std::optional<CatalogueRow> Catalogue::by_date(std::string_view key) const {
  const std::string_view name = family(key);
  if (name.ends_with('/')) return std::nullopt;
  std::optional<CatalogueRow> out;
  for (std::size_t at = first_from(name); at < body_.size();) {
    const std::string_view line = line_at(body_, at);
    at += line.size() + 1;
    const std::string_view other = key_of(line);
    if (!other.starts_with(name)) break;
    const std::string_view version = other.substr(name.size());
    if (!version.empty() && !is_version(version)) continue;
    auto row = read_row(line);
    if (!row) continue;
    if (!out) {
      out = *std::move(row);
      out->until = {};  // the end of one version is not that of another
      continue;
    }
    out->price = agreed(out->price, row->price);
    if (out->window != row->window) out->window.reset();
    if (out->answer != row->answer) out->answer.reset();
    if (out->abilities != row->abilities) out->abilities = {};
  }
  return out;
}

std::optional<CatalogueRow> Catalogue::find(std::string_view vendor, std::string_view model,
                                            std::string_view region) const {
  if (vendor.empty() || model.empty()) return std::nullopt;
  const std::string front = std::string(vendor) + '/';
  const std::string name = lower(model);
  const auto listed = [&](std::string_view one) -> std::optional<CatalogueRow> {
    if (!region.empty()) {
      if (auto row = exact(front + std::string(region) + '/' + std::string(one))) return row;
    }
    return exact(front + std::string(one));
  };
  if (auto row = listed(name)) return row;
  const std::string_view plain = bare(name);
  if (plain.size() != name.size()) {
    if (auto row = listed(plain)) return row;
  }
  return by_date(front + std::string(plain));
}

std::vector<CatalogueRow> Catalogue::rows(std::string_view vendor) const {
  std::vector<CatalogueRow> out;
  const std::string front = vendor.empty() ? std::string() : std::string(vendor) + '/';
  for (std::size_t at = first_from(front); at < body_.size();) {
    const std::string_view line = line_at(body_, at);
    at += line.size() + 1;
    if (!line.starts_with(front)) break;
    if (auto row = read_row(line)) out.push_back(*std::move(row));
  }
  return out;
}

}  // namespace sluice
