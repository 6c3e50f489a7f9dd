
/*
 * Copyright (C) The wholesale gateway authors
 */


#include <wholesale_catalogue_data.h>


#define wholesale_array_n(array)  (sizeof(array) / sizeof((array)[0]))


const wholesale_built_in_package_t  wholesale_built_in_packages[] = {
    { "common_area_calling", { NULL } },
    { "webex_calling", { NULL } },
    { "webex_meetings", { NULL } },
    { "webex_suite", { NULL } },
    { "webex_voice", { NULL } },
    { "cx_essentials", { NULL } },

    { "cisco_calling_plan",
      { "common_area_calling",
        "webex_calling",
        "webex_suite",
        "webex_voice",
        "cx_essentials",
        "webex_calling_standard",
        NULL } },

    { "webex_calling_standard", { NULL } },

    { "attendant_console",
      { "webex_calling",
        "webex_suite",
        "cx_essentials",
        NULL } },

    { "cx_premium_agent", { NULL } },
    { "cx_standard_agent", { NULL } },
    { "cx_voice_ports", { NULL } },
    { "cx_ai_assistant", { NULL } },
    { "webex_ai_agent", { NULL } }
};

const size_t  wholesale_built_in_packages_n =
    wholesale_array_n(wholesale_built_in_packages);


const char  wholesale_built_in_countries[] =
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZ"
    "BABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ"
    "CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ"
    "DEDJDKDMDODZ"
    "ECEEEGEHERESET"
    "FIFJFKFMFOFR"
    "GAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGY"
    "HKHMHNHRHTHU"
    "IDIEILIMINIOIQIRISIT"
    "JEJMJOJP"
    "KEKGKHKIKMKNKPKRKWKYKZ"
    "LALBLCLILKLRLSLTLULVLY"
    "MAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ"
    "NANCNENFNGNINLNONPNRNUNZ"
    "OM"
    "PAPEPFPGPHPKPLPMPNPRPSPTPWPY"
    "QA"
    "RERORSRURW"
    "SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZ"
    "TCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZ"
    "UAUGUMUSUYUZ"
    "VAVCVEVGVIVNVU"
    "WFWS"
    "YEYT"
    "ZAZMZW";
