// Every way in: method and path -> what is asked, in which dialect, and whether a caller must be known first.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialects/dialect.h"
#include "gateway/operations.h"
#include "wire/http1.h"

namespace sluice {

enum class Place : std::uint8_t {
  dialect,  // an operation of a dialect: `operation` says which
  vendor,   // one that passes untouched: `vendor` says which
  home,     // GET or HEAD /
  health,
  live,
  ready,
  metrics,
  explain,  // GET /admin/api/explain
  admin,    // all else below /admin/api/, which has keys of its own
  asset,    // /docs, /openapi.json and what they need
};

// The places that need no caller. All others do.
[[nodiscard]] constexpr bool is_public(Place place) {
  switch (place) {
    case Place::home:
    case Place::health:
    case Place::live:
    case Place::ready:
    case Place::asset: return true;
    case Place::dialect:
    case Place::vendor:
    case Place::metrics:
    case Place::explain:
    case Place::admin: return false;
  }
  return false;
}

// What a request came for. Its views are static.
struct Entry {
  Place place = Place::home;
  const Dialect* dialect = nullptr;
  Operation operation = Operation::chat;
  const VendorOperation* vendor = nullptr;
  bool path_streams = false;
  std::string_view pattern;  // the door's path, static
  std::string path;          // without query: of an asset decoded, of a vendor's operation as it came
  std::string path_model;    // what {model} stood for
  std::string rest;          // what a pattern's star stood for
  std::string query;
  std::string allow;  // for OPTIONS: the methods of this path
};

// Errors: not_found, method_not_allowed (Error::param then holds the Allow list), bad_request (broken escapes, a path
// that climbs). An
// OPTIONS request finds its path whatever the method of its doors, and its Entry says which methods there are.
// Path and query of a request's target, also of the absolute form.
[[nodiscard]] std::string_view origin_form(std::string_view target);
[[nodiscard]] Result<Entry> find_door(const http1::RequestHead& head);

}  // namespace sluice
