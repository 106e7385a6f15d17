/**
 * The approximations of RCPSS and RSQRTSS as AMD's Zen processors give them, measured on one.
 *
 * They take the upper 12 bits of the fraction to a fraction of 12 bits through a bipartite table: a base for the upper 8 bits, plus a
 * correction for the upper 4 and the lower 4 bits. The manuals only bound the relative error by 1.5 * 2^-12; other processors differ.
 */
export interface Bipartite {
  /** base for index 0 */
  readonly first: number;
  /** 256 digits of base 36: how much each base is below the one before it */
  readonly steps: string;
  /** 16 rows of 16 digits of base 36: the correction for (upper 4 bits, lower 4 bits) */
  readonly corrections: string;
}

/** 2 / x for x in [1, 2). */
export const RECIPROCAL: Bipartite = {
  first: 4066,
  steps:
    "0wvwuvvuuuuttttt" +
    "rssrsrrrrrqqqqqp" +
    "opppopoooononnnn" +
    "mmnmmmmmlmlllllk" +
    "kkkkkkkjkjkjjjji" +
    "iijiiiiiihihihhh" +
    "ghghhgghgggggfgg" +
    "ffgfffffffefefef" +
    "defedeeedeeddedd" +
    "ddddcdddcdcdccdc" +
    "bccccccbccbcbcbb" +
    "bbbbbbbbbbbababb" +
    "aaabaaaabaaa9aaa" +
    "a9aa9a9a9a999a99" +
    "9999998999989989" +
    "8989889888988888",
  corrections:
    "sqpnljhfdba86420" +
    "pomkjhfeca975420" +
    "mljihfecb9865320" +
    "kjigfecba8764320" +
    "ihgfecba97654310" +
    "hgfdcba987653210" +
    "fedcba9876543210" +
    "edcba99876543210" +
    "dcbba98765543210" +
    "cbba987765433210" +
    "ba99877654432110" +
    "a998776554332110" +
    "9987766544322110" +
    "9987766544332110" +
    "8877665543322110" +
    "8877665443322110",
};

/** 2 / sqrt(2 * x) for x in [1, 2): odd exponents. */
export const ROOT_ODD: Bipartite = {
  first: 1686,
  steps:
    "0bbcbabbbbabbaba" +
    "aaabaaaaa9aaa9a9" +
    "9a99a99999999999" +
    "9899898988988988" +
    "7888888888788787" +
    "8787877877787777" +
    "6777777767776776" +
    "7676767667667666" +
    "6666666666666665" +
    "6665666565665656" +
    "5565655655655556" +
    "5555555555555555" +
    "5455555455545545" +
    "5454554545454544" +
    "5454454454445444" +
    "5444444544444444",
  corrections:
    "a998776554332110" +
    "9987766544322100" +
    "8876655443221100" +
    "8876655443322110" +
    "7766554433221100" +
    "7666554433221110" +
    "6655444332211100" +
    "6655444332221100" +
    "5554433322211000" +
    "5544433322211100" +
    "5544433322211100" +
    "5444333222111100" +
    "4443332222111000" +
    "4443332222111000" +
    "4433332222111100" +
    "4433332222111100",
};

/** 2 / sqrt(x) for x in [1, 2): even exponents. */
export const ROOT_EVEN: Bipartite = {
  first: 4081,
  steps:
    "0ggfggffgffffffe" +
    "efefeeeeeeeeeded" +
    "ddedddddddcddcdc" +
    "ccdcccccccbccbcb" +
    "cbbcbbbbbbbbbbab" +
    "babababaaabaaaaa" +
    "9aaaa9aa9a9a9a99" +
    "999a999999999899" +
    "8998989898988988" +
    "8888888888888788" +
    "8878878787878778" +
    "7777877777777777" +
    "7776777767767767" +
    "6767676766766766" +
    "7666666766666666" +
    "5666656666566656",
  corrections:
    "edcba98776543210" +
    "dcbaa98765433210" +
    "cbaa987665432110" +
    "ba99877654432110" +
    "aa98876554332110" +
    "a998776554432210" +
    "9987766554332110" +
    "8877665443322100" +
    "8776655443322110" +
    "7766554433221100" +
    "7766554443322110" +
    "7665554433221110" +
    "6655544333221100" +
    "6655444332221110" +
    "6655544333221110" +
    "5554443322211100",
};
