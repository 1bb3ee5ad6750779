// The dialect `gemini`. SPDX-License-Identifier: MIT
#pragma once

#include "dialects/dialect.h"

namespace sluice::gemini {

[[nodiscard]] const Dialect& gemini_dialect();

}  // namespace sluice::gemini
